/**
 * A sorted list under somebody's hand: while the pointer or the keyboard is in it, no line leaves its place and new ones
 * come at the end. Otherwise whoever is about to press one line presses the one that has just taken its place.
 */
export class Steady {
  /** Somebody is about to press something in the list. */
  held = $state(false);
  #places: readonly string[] = [];

  /** `sorted` as it is, or in the places of before while it is held. */
  order<Item>(sorted: readonly Item[], idOf: (item: Item) => string): readonly Item[] {
    const shown = this.held ? inPlaces(sorted, idOf, this.#places) : sorted;
    this.#places = shown.map(idOf);
    return shown;
  }

  /** What the list's element listens to. */
  readonly on = {
    onpointerenter: (): void => void (this.held = true),
    onpointerleave: (): void => void (this.held = false),
    onfocusin: (event: FocusEvent): void => {
      if ((event.target as HTMLElement).matches(":focus-visible")) this.held = true;
    },
    onfocusout: (event: FocusEvent): void => {
      if (!(event.currentTarget as HTMLElement).contains(event.relatedTarget as Node | null)) this.held = false;
    },
  };
}

/** Those that had a place in their order of before, then the new ones in theirs. */
export function inPlaces<Item>(sorted: readonly Item[], idOf: (item: Item) => string, places: readonly string[]): readonly Item[] {
  const place = new Map(places.map((id, index) => [id, index]));
  const of = (item: Item): number => place.get(idOf(item)) ?? Infinity;
  return [...sorted].sort((a, b) => (of(a) === of(b) ? 0 : of(a) - of(b)));
}
