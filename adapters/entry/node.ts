import { installPlatform } from "../sqlite/platform.ts";
import { nodePlatform } from "./node-platform.ts";

installPlatform(nodePlatform);

export * from "./door.ts";
