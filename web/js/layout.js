/** Where the pictures go: pure arithmetic. All lengths in CSS pixels. */

/** @typedef {{x: number, y: number, width: number, height: number}} Rect */
/** @typedef {{rects: Rect[], height: number}} Arrangement `height`: of the whole; more than given means scrolling */
/** @typedef {{width: number, height: number}} Size */

const WIDEST = 16 / 9;
const NARROWEST = 4 / 3; // narrower, and too much of a usual camera's picture would be cut off
const NARROWEST_UPRIGHT = 4 / 5; // in a tall window, where the pictures of phones are tall as well
const GAP_PX = 10;
const SMALLEST_TILE_PX = 110; // smaller ones scroll instead, in a comfortable size
const SMALLEST_IN_STRIP_PX = 70;
const COMFORTABLE_TILE_PX = 150;
const STRIP_SHARE = 0.2;
const CROWDED_STRIP_SHARE = 0.32;

/**
 * The grid with the largest pictures that fits; with very many people the tiles keep a size and the grid scrolls.
 * @param {number} count
 * @param {Size} area
 * @param {number} [smallest] width below which it scrolls
 * @returns {Arrangement}
 */
export function gridLayout(count, area, smallest = isTall(area) ? COMFORTABLE_TILE_PX : SMALLEST_TILE_PX) {
  let best = { columns: 1, tile: { width: 0, height: 0 } };
  for (let columns = 1; columns <= count; columns++) {
    const tile = largestTile(columns, Math.ceil(count / columns), area);
    if (tile.width * tile.height > best.tile.width * best.tile.height) best = { columns, tile };
  }
  if (best.tile.width >= Math.min(smallest, area.width / 2 - GAP_PX)) return place(count, best, area);
  const columns = Math.max(2, Math.floor((area.width + GAP_PX) / (COMFORTABLE_TILE_PX + GAP_PX)));
  const width = (area.width - GAP_PX * (columns - 1)) / columns;
  return place(count, { columns, tile: { width, height: width / (4 / 3) } }, area);
}

/** @param {Size} area */
function isTall(area) {
  return area.height > area.width;
}

/** @param {number} columns @param {number} rows @param {Size} area @returns {Size} */
function largestTile(columns, rows, area) {
  const cellWidth = (area.width - GAP_PX * (columns - 1)) / columns;
  const cellHeight = (area.height - GAP_PX * (rows - 1)) / rows;
  if (cellWidth <= 0 || cellHeight <= 0) return { width: 0, height: 0 };
  const narrowest = isTall(area) ? NARROWEST_UPRIGHT : NARROWEST;
  const aspect = Math.min(WIDEST, Math.max(narrowest, cellWidth / cellHeight));
  const width = Math.min(cellWidth, cellHeight * aspect);
  return { width, height: width / aspect };
}

/** Rows are centred, the last one too. @param {number} count @param {{columns: number, tile: Size}} grid
 *  @param {Size} area @returns {Arrangement} */
function place(count, { columns, tile }, area) {
  const rows = Math.ceil(count / columns);
  const used = rows * tile.height + (rows - 1) * GAP_PX;
  const top = Math.max(0, (area.height - used) / 2);
  const rects = Array.from({ length: count }, (_, index) => {
    const row = Math.floor(index / columns);
    const inRow = Math.min(columns, count - row * columns);
    const left = (area.width - inRow * tile.width - (inRow - 1) * GAP_PX) / 2;
    return {
      x: left + (index % columns) * (tile.width + GAP_PX),
      y: top + row * (tile.height + GAP_PX),
      ...tile,
    };
  });
  return { rects, height: used > area.height + 1 ? used : area.height };
}

/**
 * Two people: the other fills the window, the own picture floats in the corner.
 * @param {number} ownIndex 0 or 1
 * @param {Size} area
 * @returns {Arrangement}
 */
export function duoLayout(ownIndex, area) {
  const other = centred(area);
  const portrait = isTall(area);
  const width = Math.max(110, Math.min(280, area.width * (portrait ? 0.28 : 0.2)));
  const height = width / (portrait ? NARROWEST_UPRIGHT : WIDEST);
  const right = Math.min(area.width, other.x + other.width) - GAP_PX;
  const bottom = Math.min(area.height, other.y + other.height) - GAP_PX;
  const own = { x: right - width, y: bottom - height, width, height };
  return { rects: ownIndex === 0 ? [own, other] : [other, own], height: area.height };
}

/** @param {Size} area @returns {Rect} */
function centred(area) {
  const tile = largestTile(1, 1, area);
  return { x: (area.width - tile.width) / 2, y: (area.height - tile.height) / 2, ...tile };
}

/**
 * One person large, the others in a grid beside or, in a tall window, below.
 * @param {number} count at least 2
 * @param {number} pinned
 * @param {Size} area
 * @returns {Arrangement}
 */
export function pinnedLayout(count, pinned, area) {
  const below = isTall(area);
  const share = count > 5 ? CROWDED_STRIP_SHARE : STRIP_SHARE;
  const strip = below
    ? { width: area.width, height: area.height * share }
    : { width: area.width * share, height: area.height };
  const left = below ? 0 : area.width - strip.width;
  const top = below ? area.height - strip.height : 0;
  const others = gridLayout(count - 1, strip, SMALLEST_IN_STRIP_PX);
  const rects = others.rects.map((rect) => ({ ...rect, x: left + rect.x, y: top + rect.y }));
  const main = { width: (left || area.width + GAP_PX) - GAP_PX, height: (top || area.height + GAP_PX) - GAP_PX };
  rects.splice(pinned, 0, centred(main));
  return { rects, height: top + others.height };
}

/**
 * @param {{count: number, own: number, pinned: number}} people indices; -1 for nobody
 * @param {Size} area
 * @returns {Arrangement}
 */
export function arrange({ count, own, pinned }, area) {
  if (pinned >= 0 && count > 1) return pinnedLayout(count, pinned, area);
  if (count === 2 && own >= 0) return duoLayout(own, area);
  return gridLayout(count, area);
}
