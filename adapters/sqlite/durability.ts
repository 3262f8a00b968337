/** `full`: acknowledged means safe from a power cut. `relaxed`: safe from the end of the process only. */
export type Durability = "full" | "relaxed";
