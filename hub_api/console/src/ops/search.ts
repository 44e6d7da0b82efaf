import { parsePosition, shownPosition } from "../lib/geo";

export type Found = {
  kind: "station" | "landing_point" | "drone" | "zone" | "order" | "position";
  id: string;
  label: string;
  longitudeDeg: number | null;
  latitudeDeg: number | null;
};

/** Everything that has a name or an id, as the search looks through it. */
export type Searchable = Found & { words: readonly string[] };

/** What matches, the best first: an id or name that begins so, then one that contains it; a position by itself. */
export function search(text: string, all: readonly Searchable[], most = 8): Found[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return [];
  const position = parsePosition(text);
  if (position !== null) {
    return [{ kind: "position", id: "position", label: shownPosition(position.latitudeDeg, position.longitudeDeg), ...position }];
  }
  const ranked = all
    .map((item) => {
      const words = item.words.map((word) => word.toLowerCase());
      const rank = words.some((word) => word.startsWith(wanted)) ? 0 : words.some((word) => word.includes(wanted)) ? 1 : 2;
      return { item, rank };
    })
    .filter(({ rank }) => rank < 2)
    .sort((a, b) => a.rank - b.rank);
  return ranked.slice(0, most).map(({ item: { words: _, ...found } }) => found);
}
