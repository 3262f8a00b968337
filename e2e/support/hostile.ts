/** Texts that become a script where text is taken for markup, by what they try. Each sets `pwned` when it succeeds. */
const PAYLOAD = "globalThis.pwned=1";

const VECTORS: readonly string[] = [
  `<script>${PAYLOAD}</script>`,
  `<ScRiPt>${PAYLOAD}</sCrIpT>`,
  `<script src="data:text/javascript,${PAYLOAD}"></script>`,
  `<img src=x onerror="${PAYLOAD}">`,
  `<img src=x onerror=${PAYLOAD}//`,
  `<svg onload="${PAYLOAD}">`,
  `<svg><script>${PAYLOAD}</script></svg>`,
  `<svg><animate onbegin="${PAYLOAD}" attributeName="x" dur="1s">`,
  `<body onload="${PAYLOAD}">`,
  `<iframe srcdoc="<script>parent.pwned=1</script>"></iframe>`,
  `<iframe src="javascript:parent.pwned=1"></iframe>`,
  `<a href="javascript:${PAYLOAD}">x</a>`,
  `<object data="javascript:${PAYLOAD}"></object>`,
  `<embed src="javascript:${PAYLOAD}">`,
  `<form><button formaction="javascript:${PAYLOAD}">x</button></form>`,
  `<input autofocus onfocus="${PAYLOAD}">`,
  `<details open ontoggle="${PAYLOAD}">`,
  `<video><source onerror="${PAYLOAD}"></video>`,
  `<audio src=x onerror="${PAYLOAD}">`,
  `<math><mtext><table><mglyph><style><img src=x onerror="${PAYLOAD}">`,
  `<style>@import "data:text/css,*{x:y}"</style>`,
  `<link rel=stylesheet href="data:text/css,*{x:y}">`,
  `<meta http-equiv=refresh content="0;url=javascript:${PAYLOAD}">`,
  `<base href="https://example.org/">`,
  `<template><script>${PAYLOAD}</script></template>`,
];

/** Places in markup or scripts that a text may be put into by mistake: each breaks out of one. */
const SURROUNDINGS: readonly ((vector: string) => string)[] = [
  (vector) => vector,
  (vector) => `">${vector}`,
  (vector) => `'>${vector}`,
  (vector) => `\`>${vector}`,
  (vector) => `</title>${vector}`,
  (vector) => `</textarea>${vector}`,
  (vector) => `</script>${vector}`,
  (vector) => `</style>${vector}`,
  (vector) => `-->${vector}`,
  (vector) => `]]>${vector}`,
  (vector) => `</noscript>${vector}`,
  (vector) => `</option></select>${vector}`,
  (vector) => `</td></tr></table>${vector}`,
  (vector) => `\u0000${vector}`,
  (vector) => vector.replaceAll("<", "\\u003c"),
  (vector) => vector.replaceAll("<", "&lt;"),
  (vector) => vector.replaceAll("<", "&#60;"),
  (vector) => vector.replaceAll("<", "%3C"),
  (vector) => vector.replaceAll(" ", "/"),
  (vector) => `{{constructor.constructor("${PAYLOAD}")()}}${vector}`,
];

/** Every vector in every surrounding. */
export const HOSTILE_TEXTS: readonly string[] = VECTORS.flatMap((vector) =>
  SURROUNDINGS.map((surround) => surround(vector)),
);

/** Every vector, in one surrounding each. */
export const SOME_HOSTILE_TEXTS: readonly string[] = VECTORS.map(
  (vector, index) => SURROUNDINGS[index % SURROUNDINGS.length]?.(vector) ?? vector,
);
