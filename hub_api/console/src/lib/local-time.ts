const MINUTE_MS = 60_000;

/** A zone's offset from UTC at a moment, in minutes. */
function offsetMin(ms: number, timezone: string): number {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone: timezone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
  }).formatToParts(new Date(ms));
  const part = (type: string): number => Number(parts.find((item) => item.type === type)?.value ?? 0);
  const local = Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"));
  return Math.round((local - Math.floor(ms / MINUTE_MS) * MINUTE_MS) / MINUTE_MS);
}

/** «2026-12-01T08:30» of an input, meant in the site's time zone, with its offset; null for what is no moment. */
export function withOffset(text: string, timezone: string): string | null {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d)(:\d\d)?$/.exec(text);
  const asUtc = match === null ? NaN : Date.parse(`${match[1] ?? ""}:00Z`);
  if (Number.isNaN(asUtc)) return null;
  // Twice: near a change of the clock the first guess may lie on its other side.
  const first = offsetMin(asUtc, timezone);
  const minutes = offsetMin(asUtc - first * MINUTE_MS, timezone);
  const two = (value: number): string => String(Math.abs(value)).padStart(2, "0");
  const sign = minutes < 0 ? "-" : "+";
  return `${match?.[1] ?? ""}:00${sign}${two(Math.trunc(minutes / 60))}:${two(minutes % 60)}`;
}
