// Makes exactly what stands before the playhead visible. What comes later is not hidden but not in the document: no
// reader, search or screen reader meets it. Going on or back adds or takes away nodes and letters, and builds nothing.

/** @typedef {import("./markdown.js").Piece} Piece */
/** @typedef {import("./markdown.js").Block} Block */
/** @typedef {ReturnType<typeof createReveal>} Reveal */

/** @type {WeakMap<Node, Piece>} */
const pieceOf = new WeakMap();
/** @type {WeakMap<Node, Sheet>} */
const sheets = new WeakMap();

/** How many of the units of a text come before a position. @param {number[]} at @param {number} position */
function unitsBefore(at, position) {
  let low = 0, high = at.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at[middle] < position) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Leaves of a node what stands before a position. Its text always begins as the piece's; selections in it survive. */
function cut(/** @type {Node} */ node, /** @type {Piece} */ { text, at }, /** @type {number} */ position) {
  if (!(node instanceof Text)) return;
  const units = unitsBefore(at, position);
  if (units > node.length) node.appendData(text.slice(node.length, units));
  else if (units < node.length) node.deleteData(units, node.length - units);
}

/** A block with its nodes, of which the first `shown` are in the document. */
class SetBlock {
  /** @type {Node[]} */
  nodes = [];
  shown = 0;

  /**
   * @param {Block} block @param {Node} container @param {(piece: Piece) => Node} create
   * @param {SetBlock} [before] what stood in its place: the nodes with which both begin are kept
   */
  constructor({ key, pieces }, container, create, before) {
    this.key = key;
    this.pieces = pieces;
    this.container = container;
    const other = pieces.findIndex((piece, index) => !goesOn(before?.pieces[index], piece));
    const kept = other < 0 ? pieces.length : other;
    before?.hide(kept);
    this.shown = before?.shown ?? 0;
    this.nodes = [...(before?.nodes.slice(0, kept) ?? []), ...pieces.slice(kept).map(create)];
    this.nodes.forEach((node, index) => pieceOf.set(node, pieces[index]));
  }

  /** Takes out all but the first nodes. @param {number} count */
  hide(count) {
    while (this.shown > count) /** @type {ChildNode} */ (this.nodes[(this.shown -= 1)]).remove();
  }

  /** @param {number} position */
  show(position) {
    const { pieces, nodes } = this, last = this.shown - 1;
    if (last >= 0) cut(nodes[last], pieces[last], position); // only the last one's text may be cut
    while (this.shown > 0 && pieces[this.shown - 1].from >= position) this.hide(this.shown - 1);
    for (let index; (index = this.shown) < pieces.length && pieces[index].from < position; this.shown += 1) {
      (nodes[pieces[index].parent] ?? this.container).appendChild(nodes[index]);
      cut(nodes[index], pieces[index], position);
    }
    if (this.shown > 0 && this.shown <= last) cut(nodes[this.shown - 1], pieces[this.shown - 1], position);
  }
}

/** Whether a piece is another one, or its beginning. @param {Piece | undefined} one @param {Piece} other */
function goesOn(one, other) {
  const alike = one && one.tag === other.tag && one.parent === other.parent && one.from === other.from &&
    one.className === other.className && one.start === other.start;
  return !!alike && (one.tag === "#text" ? other.text.startsWith(one.text) : one.text === other.text);
}

/** What is set in a container: all of it is shown until somebody says how far. */
export class Sheet {
  /** @type {SetBlock[]} */
  blocks = [];
  position = Infinity;

  /** @param {Node} container */
  constructor(container) {
    this.container = container;
  }

  /** @param {Node} container */
  static of(container) {
    const sheet = sheets.get(container) ?? new Sheet(container);
    sheets.set(container, sheet);
    return sheet;
  }

  /**
   * Puts other blocks in place; those that are the same objects stay.
   * @param {Block[]} blocks @param {(piece: Piece) => Node} create
   */
  set(blocks, create) {
    const { blocks: before, container } = this;
    let same = 0;
    while (same < before.length && before[same] === blocks[same]) same += 1;
    for (const block of before.slice(same + 1)) block.hide(0);
    if (same >= blocks.length) before[same]?.hide(0);
    const set = blocks.slice(same).map((block, index) =>
      new SetBlock(block, container, create, index ? undefined : before[same]));
    this.blocks = [...before.slice(0, same), ...set];
    this.show(this.position);
  }

  /** @param {number} position */
  show(position) {
    this.position = position;
    for (const block of this.blocks) block.show(position);
  }

  /** What is in the document, in order. @returns {Generator<[Piece, Node]>} */
  *shown() {
    for (const { pieces, nodes, shown } of this.blocks) {
      for (let index = 0; index < shown; index += 1) yield [pieces[index], nodes[index]];
    }
  }
}

/** How far the text set in a container is shown, and where in it is what. @param {Node} container */
export function createReveal(container) {
  const sheet = Sheet.of(container);
  return {
    /** Shows what stands before a position, a code point of the text. @param {number} position */
    show(position) {
      sheet.show(position);
    },

    /**
     * The position of a point of the document, such as a click's; null outside the text.
     * @param {Node} node @param {number} offset @returns {number | null}
     */
    place(node, offset) {
      if (!container.contains(node)) return null;
      const child = node instanceof Text ? null : node.childNodes[offset];
      const before = child ? null : node.lastChild;
      /** @type {Node | null} */
      let known = child ?? before ?? node;
      while (known && !pieceOf.has(known)) known = known === container ? null : known.parentNode;
      const piece = known && pieceOf.get(known);
      if (!piece) return null;
      if (known === node && node instanceof Text) return piece.at[offset] ?? piece.to;
      return known === before ? Math.min(piece.to, sheet.position) : piece.from;
    },

    /**
     * The part of the document that shows a stretch of the text; null if none of it is shown.
     * @param {number} from @param {number} to @returns {Range | null}
     */
    rangeOf(from, to) {
      /** @type {Range | null} */
      let range = null;
      for (const [piece, node] of sheet.shown()) {
        if (piece.from >= to || piece.to <= from) continue;
        if (node instanceof Text) {
          const start = unitsBefore(piece.at, from), end = Math.min(unitsBefore(piece.at, to), node.length);
          if (start >= end) continue;
          if (!range) (range = new Range()).setStart(node, start);
          range.setEnd(node, end);
        } else if (piece.tag === "formula") {
          if (!range) (range = new Range()).setStartBefore(node);
          range.setEndAfter(node);
        }
      }
      return range;
    },
  };
}
