import { type Arbitrary, array, integer, oneof } from "fast-check";

const CODE_POINTS = oneof(
  integer({ min: 0, max: 0x7f }),
  integer({ min: 0x80, max: 0x7ff }),
  integer({ min: 0xd800, max: 0xdfff }),
  integer({ min: 0, max: 0x10ffff }),
);

/** Texts of all code points, NUL and lone surrogates included. */
export function anyText(maxLength = 8): Arbitrary<string> {
  return array(CODE_POINTS, { maxLength }).map((points) => String.fromCodePoint(...points));
}
