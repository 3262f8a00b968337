export declare function measurePage(names: readonly string[]): Promise<number>;
export declare function measureSizes(): Promise<{
  readonly engine: number;
  readonly worker: number;
  readonly inline: number;
  readonly enqueues: number;
  readonly works: number;
}>;
