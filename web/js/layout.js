/** Where the pictures go: pure arithmetic. All lengths in CSS pixels. */

/** @typedef {{x: number, y: number, width: number, height: number}} Rect */
/** @typedef {{rects: Rect[], height: number}} Arrangement `height`: of the whole; more than given means scrolling */
/** @typedef {{width: number, height: number}} Size */

const WIDEST = 16 / 9;
const NARROWEST = 4 / 3; // narrower, and too much of a usual camera's picture would be cut off
const NARROWEST_UPRIGHT = 4 / 5; // in a tall window, where the pictures of phones are tall as well
const GAP_PX = 10;
const SMALLEST_TILE_PX = 150;
const STRIP_SHARE = 0.2;

/**
 * The grid with the largest pictures that fits; with very many people the tiles keep a size and the grid scrolls.
 * @param {number} count
 * @param {Size} area
 * @returns {Arrangement}
 */
export function gridLayout(count, area) {
  let best = { columns: 1, tile: { width: 0, height: 0 } };
  for (let columns = 1; columns <= count; columns++) {
    const tile = largestTile(columns, Math.ceil(count / columns), area);
    if (tile.width * tile.height > best.tile.width * best.tile.height) best = { columns, tile };
  }
  if (best.tile.width >= Math.min(SMALLEST_TILE_PX, area.width / 2 - GAP_PX)) return place(count, best, area);
  const columns = Math.max(2, Math.floor((area.width + GAP_PX) / (SMALLEST_TILE_PX + GAP_PX)));
  const width = (area.width - GAP_PX * (columns - 1)) / columns;
  return place(count, { columns, tile: { width, height: width / (4 / 3) } }, area);
}

/** @param {number} columns @param {number} rows @param {Size} area @returns {Size} */
function largestTile(columns, rows, area) {
  const cellWidth = (area.width - GAP_PX * (columns - 1)) / columns;
  const cellHeight = (area.height - GAP_PX * (rows - 1)) / rows;
  if (cellWidth <= 0 || cellHeight <= 0) return { width: 0, height: 0 };
  const narrowest = area.height > area.width ? NARROWEST_UPRIGHT : NARROWEST;
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
  return { rects, height: Math.max(area.height, used) };
}

/**
 * Two people: the other fills the window, the own picture floats in the corner.
 * @param {number} ownIndex 0 or 1
 * @param {Size} area
 * @returns {Arrangement}
 */
export function duoLayout(ownIndex, area) {
  const other = centred(area);
  const portrait = area.height > area.width;
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
 * One person large, the others in a strip beside or, in a tall window, below.
 * @param {number} count at least 2
 * @param {number} pinned
 * @param {Size} area
 * @returns {Arrangement}
 */
export function pinnedLayout(count, pinned, area) {
  const below = area.height > area.width;
  const thickness = Math.max(90, (below ? area.height : area.width) * STRIP_SHARE);
  const others = count - 1;
  const along = below ? area.width : area.height;
  const wanted = below ? thickness * 1.1 : thickness / WIDEST;
  const length = Math.min(wanted, (along - GAP_PX * (others - 1)) / others);
  const start = Math.max(0, (along - others * length - (others - 1) * GAP_PX) / 2);
  const main = centred(
    below
      ? { width: area.width, height: area.height - thickness - GAP_PX }
      : { width: area.width - thickness - GAP_PX, height: area.height },
  );
  let place = 0;
  const rects = Array.from({ length: count }, (_, index) => {
    if (index === pinned) return main;
    const at = start + place++ * (length + GAP_PX);
    return below
      ? { x: at, y: area.height - thickness, width: length, height: thickness }
      : { x: area.width - thickness, y: at, width: thickness, height: length };
  });
  return { rects, height: area.height };
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
