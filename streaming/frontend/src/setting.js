// What sets texts and draws boards: large, and not needed for the first words.

export { createBoard } from "./board/board.js";
export { createReveal } from "./reveal.js";
export { createTypesetter } from "./typeset.js";
