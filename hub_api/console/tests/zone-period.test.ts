import { afterEach, expect, test } from "vitest";
import { half, language } from "../src/i18n/language.svelte";
import { periodText, type Period } from "../src/lib/zone-period";

const SHENZHEN = "Asia/Shanghai";
const noon = { second_of_day: 43_200, utc_offset_s: 28_800 };
const always = { start: null, end: null, schedule: [] };

afterEach(() => {
  language.now = "zh";
});

function both(period: Period): [string, string] {
  language.now = "en";
  const en = periodText(period, SHENZHEN);
  language.now = "zh";
  return [en, periodText(period, SHENZHEN)];
}

test("a span of dates is told in the site's time", () => {
  const period = { ...always, start: "2026-11-30T00:00:00Z", end: "2026-12-01T04:30:00Z" };
  expect(both(period)).toEqual(["2026-11-30 08:00:00 to 2026-12-01 12:30:00", "2026-11-30 08:00:00 至 2026-12-01 12:30:00"]);
  expect(both({ ...period, end: null })).toEqual(["from 2026-11-30 08:00:00", "自 2026-11-30 08:00:00 起"]);
  expect(both({ ...period, start: null })[1]).toBe("至 2026-12-01 12:30:00 止");
});

test("weekly hours name days, offset and the sun, and no JSON", () => {
  const period = { ...always, schedule: [{ days: ["MON", "SAT"], start: noon, end: { second_of_day: 0, utc_offset_s: 28_800 } }] };
  expect(both(period)).toEqual(["Mon Sat 12:00 UTC+8–24:00 UTC+8", "周一 周六 12:00 UTC+8–24:00 UTC+8"]);
  const days = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];
  expect(both({ ...always, schedule: [{ days, start: { event: "SR" }, end: { event: "EECT" } }] })).toEqual(["every day sunrise–dusk", "每天 日出–昏影终"]);
  expect(both({ ...always, schedule: [{ days: ["SUN"], start: { second_of_day: 3661, utc_offset_s: -34_200 }, end: { second_of_day: 7200, utc_offset_s: 0 } }] })[1]).toBe(
    "周日 01:01:01 UTC−9:30–02:00 UTC",
  );
});

test("a note in both languages is shown in one", () => {
  language.now = "zh";
  expect(half("no agent for bao-01: busy · 无法连接 bao-01")).toBe("无法连接 bao-01");
  language.now = "en";
  expect(half("no agent for bao-01: busy · 无法连接 bao-01")).toBe("no agent for bao-01: busy");
  expect(half("only this")).toBe("only this");
});
