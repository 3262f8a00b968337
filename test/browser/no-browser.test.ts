import { it } from "vitest";

// Stands for all tests of this folder where there is no browser to run them in.
it.skip("needs a browser: npx playwright install chromium, or on Debian apt-get install chromium", () => undefined);
