import type { KeyName } from "./keys";

const active = new Map<string, () => void>();

/** Let keys of `keys.ts` do something until the returned function is called: `$effect(() => keys({ "?": help }))`. */
export function keys(wanted: Partial<Record<KeyName, () => void>>): () => void {
  const mine = Object.entries(wanted);
  for (const [key, run] of mine) active.set(key.toLowerCase(), run);
  return () => {
    for (const [key, run] of mine) if (active.get(key.toLowerCase()) === run) active.delete(key.toLowerCase());
  };
}

function typing(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLInputElement ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    (target instanceof HTMLElement && target.isContentEditable)
  );
}

/** The page's key handler. Keys with Ctrl, Alt or Meta belong to the browser. */
export function onKeydown(event: KeyboardEvent): void {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  if (typing(event.target) && event.key !== "Escape") return;
  const found = active.get(event.key.toLowerCase());
  if (found === undefined) return;
  event.preventDefault();
  found();
}
