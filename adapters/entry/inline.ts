import { installPlatform } from "../sqlite/platform.ts";
import { createBrowserPlatform } from "./browser-platform.ts";
import { inlineParts } from "./inline-parts.ts";

installPlatform(createBrowserPlatform(inlineParts));

export * from "./door.ts";
