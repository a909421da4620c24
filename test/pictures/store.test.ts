import { expect, it } from "vitest";
import { withheldVariant } from "../../src/pictures/store.js";

it("a withheld variant lies beside its picture", () => {
  expect(withheldVariant("contact-sheet-2.png")).toBe("contact-sheet-2-withheld.png");
  expect(withheldVariant("/a.b/1-comparison.png")).toBe("/a.b/1-comparison-withheld.png");
});
