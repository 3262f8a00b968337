import { installPlatform } from "../sqlite/platform.ts";
import { browserPlatform } from "./separate-files.ts";

installPlatform(browserPlatform);

export * from "./door.ts";
