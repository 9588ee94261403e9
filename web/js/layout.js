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
const CROWDED = 5;
const MOST_IN_STRIP = 40;
const ALWAYS_IN_STRIP = 8;

/**
 * The grid with the largest pictures that fits; with very many people the tiles keep a size and the grid scrolls.
 * @param {number} count
 * @param {Size} area
 * @param {number} [smallest] width below which it scrolls
 * @returns {Arrangement}
 */
export function gridLayout(count, area, smallest = isTall(area) ? COMFORTABLE_TILE_PX : SMALLEST_TILE_PX) {
  const best = bestGrid(count, area);
  if (best.tile.width >= Math.min(smallest, area.width / 2 - GAP_PX)) return place(count, best, area);
  const columns = Math.max(2, Math.floor((area.width + GAP_PX) / (COMFORTABLE_TILE_PX + GAP_PX)));
  const width = (area.width - GAP_PX * (columns - 1)) / columns;
  return place(count, { columns, tile: { width, height: width / (4 / 3) } }, area);
}

/** The number of columns that gives the largest tiles. @param {number} count @param {Size} area */
function bestGrid(count, area) {
  let best = { columns: 1, tile: { width: 0, height: 0 } };
  for (let columns = 1; columns <= count; columns++) {
    const tile = largestTile(columns, Math.ceil(count / columns), area);
    if (tile.width * tile.height > best.tile.width * best.tile.height) best = { columns, tile };
  }
  return best;
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

/** @typedef {{main: Rect, strip: Rect}} Spotlight */

/**
 * Room for one large picture, and beside it or, in a tall window, below it a strip for the others.
 * @param {number} others
 * @param {Size} area
 * @param {number} [aspect] of a large picture that must be seen whole: a shared screen
 * @returns {Spotlight}
 */
export function spotlight(others, area, aspect) {
  const share = others >= CROWDED ? CROWDED_STRIP_SHARE : STRIP_SHARE;
  if (!isTall(area)) {
    const width = area.width * (1 - share) - GAP_PX;
    const strip = { x: width + GAP_PX, y: 0, width: area.width * share, height: area.height };
    return { main: { x: 0, y: 0, width, height: area.height }, strip };
  }
  const tallest = area.height * (1 - share) - GAP_PX;
  const height = aspect ? Math.min(tallest, area.width / aspect) : tallest;
  const strip = { x: 0, y: height + GAP_PX, width: area.width, height: area.height - height - GAP_PX };
  return { main: { x: 0, y: 0, width: area.width, height }, strip };
}

/**
 * How many of the others a strip shows in a recognisable size; those left over are not shown.
 * @param {number} others
 * @param {Size} area
 * @param {number} [aspect]
 */
export function stripCapacity(others, area, aspect) {
  const { strip } = spotlight(others, area, aspect);
  let fits = ALWAYS_IN_STRIP;
  while (fits < MOST_IN_STRIP && bestGrid(fits + 1, strip).tile.width >= SMALLEST_TILE_PX) fits++;
  return fits;
}

/**
 * One picture large, the others in a strip.
 * @param {number} count at least 2
 * @param {number} large
 * @param {Size} area
 * @param {number} [aspect] of a shared screen
 * @returns {Arrangement}
 */
export function spotlightLayout(count, large, area, aspect) {
  const { main, strip } = spotlight(count - 1, area, aspect);
  const others = gridLayout(count - 1, strip, SMALLEST_IN_STRIP_PX);
  const rects = others.rects.map((rect) => ({ ...rect, x: strip.x + rect.x, y: strip.y + rect.y }));
  rects.splice(large, 0, aspect ? main : centred(main));
  return { rects, height: strip.y + others.height };
}

/**
 * @param {{count: number, own: number, large: number, aspect?: number}} people indices; -1 for nobody. `aspect` of the
 *   large picture when it must be seen whole
 * @param {Size} area
 * @returns {Arrangement}
 */
export function arrange({ count, own, large, aspect }, area) {
  if (large >= 0 && count > 1) return spotlightLayout(count, large, area, aspect);
  if (count === 2 && own >= 0) return duoLayout(own, area);
  return gridLayout(count, area);
}
