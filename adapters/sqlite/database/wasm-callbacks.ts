/** A JavaScript function for SQLite to call, and its signature: result first, then parameters; `v` is none. */
export interface WasmCallback {
  readonly signature: string;
  readonly call: (...parameters: never[]) => number;
}

const VALUE_TYPES: Readonly<Record<string, number>> = { i: 0x7f, j: 0x7e, f: 0x7d, d: 0x7c };

/**
 * Puts JavaScript functions into an engine's function table and returns their indexes, which C code takes for
 * function pointers. A table holds WebAssembly functions only, so a tiny module is made that imports the functions
 * and exports them again.
 */
export function addToTable(table: WebAssembly.Table, callbacks: readonly WasmCallback[]): number[] {
  const imports: Record<string, (...parameters: never[]) => number> = {};
  callbacks.forEach((callback, index) => (imports[`f${index}`] = callback.call));
  const module = new WebAssembly.Module(trampolineModule(callbacks.map((callback) => callback.signature)));
  const { exports } = new WebAssembly.Instance(module, { e: imports });
  const first = table.grow(callbacks.length);
  return callbacks.map((_, index) => {
    table.set(first + index, exports[`f${index}`]);
    return first + index;
  });
}

function trampolineModule(signatures: readonly string[]): Uint8Array<ArrayBuffer> {
  const types = signatures.map((signature) => {
    const parameters = [...signature.slice(1)].map(valueType);
    const results = signature.startsWith("v") ? [] : [valueType(signature.slice(0, 1))];
    return [0x60, ...vector(parameters.map((type) => [type])), ...vector(results.map((type) => [type]))];
  });
  const importsOf = signatures.map((_, index) => [...name("e"), ...name(`f${index}`), 0x00, ...leb128(index)]);
  const exportsOf = signatures.map((_, index) => [...name(`f${index}`), 0x00, ...leb128(index)]);
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, vector(types)),
    ...section(2, vector(importsOf)),
    ...section(7, vector(exportsOf)),
  ]);
}

function valueType(letter: string): number {
  const type = VALUE_TYPES[letter];
  if (type === undefined) throw new TypeError(`"${letter}" is not a WebAssembly value type.`);
  return type;
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...leb128(content.length), ...content];
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...leb128(items.length), ...items.flat()];
}

function name(text: string): number[] {
  return [...leb128(text.length), ...[...text].map((letter) => letter.charCodeAt(0))];
}

function leb128(value: number): number[] {
  const low = value & 0x7f;
  return value < 0x80 ? [low] : [low | 0x80, ...leb128(value >>> 7)];
}
