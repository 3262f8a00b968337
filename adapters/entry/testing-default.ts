import { installPlatform } from "../sqlite/platform.ts";
import { defaultPlatform } from "./default-platform.ts";

installPlatform(defaultPlatform);

export * from "./testing-door.ts";
