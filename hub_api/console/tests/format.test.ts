import { expect, test } from "vitest";
import { compass, day, minutes, moment, percent, quantity, timeOfDay, zoneName } from "../src/lib/format";

const AT = "2026-11-30T18:04:31Z";

test.each([
  [75, "1:15"],
  [0, "0:00"],
  [59.6, "1:00"],
  [-5, "−0:05"],
  [-0.4, "0:00"],
  [3700, "1:01:40"],
  [null, "–"],
  [Number.NaN, "–"],
])("%s seconds read %s", (seconds, shown) => expect(minutes(seconds)).toBe(shown));

test("a battery is never shown fuller than it is", () => {
  expect(percent(0.299)).toBe("29 %");
  expect(percent(0.29)).toBe("29 %");
  expect(percent(1)).toBe("100 %");
  expect(percent(null)).toBe("–");
});

test("times are the site's, with seconds, whatever the computer's zone is", () => {
  expect(timeOfDay(AT, "Asia/Shanghai")).toBe("02:04:31");
  expect(day(AT, "Asia/Shanghai")).toBe("2026-12-01");
  expect(moment(AT, "UTC")).toBe("2026-11-30 18:04:31");
  expect(timeOfDay("2026-11-30T16:00:00Z", "Asia/Shanghai")).toBe("00:00:00");
  expect(zoneName("Asia/Shanghai", new Date(AT))).toBe("UTC+8");
  expect(timeOfDay(null, "UTC")).toBe("–");
});

test("a quantity names its unit and what is not known is no number", () => {
  expect(quantity(12.345, "m/s", 1)).toBe("12.3 m/s");
  expect(quantity(undefined, "m")).toBe("–");
});

test("directions", () => {
  expect(compass(350, "en")).toBe("N");
  expect(compass(-90, "zh")).toBe("西");
  expect(compass(113, "en")).toBe("SE");
});
