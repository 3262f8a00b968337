import { it } from "vitest";

// Stands for all tests of this folder where there is no browser to run them in.
it("there is a browser for the tests of this folder", ({ skip }) => {
  skip(true, "needs a browser: npx playwright install chromium, or on Debian apt-get install chromium");
});
