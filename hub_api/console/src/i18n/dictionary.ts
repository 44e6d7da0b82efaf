/** A text in both languages, side by side so that neither is forgotten: [English, 中文]. */
export type Text = readonly [en: string, zh: string];

/** A part of the dictionary. `{name}` in a text is filled in by `t(key, {name})`, in both languages alike. */
export function dictionary<const Texts extends Record<string, Text>>(texts: Texts): Texts {
  return texts;
}

/** The names in braces that a text wants filled in. */
export function placeholders(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "").sort();
}
