import { installIsolateHost } from "../../src/ports/isolates.ts";
import { installPlatform } from "../sqlite/platform.ts";
import { nodeIsolates } from "./node-isolates.ts";
import { nodePlatform } from "./node-platform.ts";

installPlatform(nodePlatform);
installIsolateHost(nodeIsolates);

export * from "./testing-door.ts";
