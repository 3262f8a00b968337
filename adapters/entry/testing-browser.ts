import { installPlatform } from "../sqlite/platform.ts";
import { browserPlatform } from "./browser-platform.ts";

installPlatform(browserPlatform);

export * from "./testing-door.ts";
