import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { placeholders } from "../src/i18n/dictionary";
import { texts } from "../src/i18n/language.svelte";

const all = Object.entries(texts);

test("every text is there in both languages", () => {
  const missing = all.filter(([, [en, zh]]) => en.trim() === "" || zh.trim() === "");
  expect(missing).toEqual([]);
});

test("Chinese texts are Chinese", () => {
  const same = new Set(["app.language", "app.language_label"]);
  const plain = all.filter(([key, [, zh]]) => !same.has(key) && !/\p{Script=Han}/u.test(zh));
  expect(plain.map(([key]) => key)).toEqual([]);
});

test("both languages want the same values filled in", () => {
  const differing = all.filter(([, [en, zh]]) => placeholders(en).join() !== placeholders(zh).join());
  expect(differing.map(([key]) => key)).toEqual([]);
});

test("no key is in two parts of the dictionary: the second would hide the first", () => {
  const folder = new URL("../src/i18n/", import.meta.url);
  const keys = readdirSync(folder)
    .filter((name) => !["dictionary.ts", "language.svelte.ts"].includes(name))
    .flatMap((name) => [...readFileSync(new URL(name, folder), "utf8").matchAll(/^ {2}"([\w.:-]+)":/gm)])
    .map((match) => match[1]);
  expect(keys.length).toBe(new Set(keys).size);
  expect(keys.length).toBe(all.length);
});

test("every state, scope and command of the API has its words", () => {
  const api = JSON.parse(readFileSync(new URL("../../../docs/openapi.json", import.meta.url), "utf8")) as {
    components: { schemas: Record<string, { enum?: string[]; properties?: Record<string, { enum?: string[] }> }> };
  };
  const of = (schema: string, property?: string): string[] => {
    const found = api.components.schemas[schema];
    return (property === undefined ? found?.enum : found?.properties?.[property]?.enum) ?? [];
  };
  /** Every member of an enumeration in our source, where the API has only a text. */
  const members = (file: string, name: string): string[] => {
    const source = readFileSync(new URL(`../../../${file}`, import.meta.url), "utf8");
    const body = source.split(`class ${name}(StrEnum):`)[1]?.split(/\n\S/)[0] ?? "";
    return [...body.matchAll(/^ {4}[A-Z_]+ = "(\w+)"/gm)].map((match) => match[1] ?? "");
  };
  const checks = ["preflight.py", "preflight_world.py"].flatMap((name) => [
    ...readFileSync(new URL(`../../../flight/model/${name}`, import.meta.url), "utf8").matchAll(/(?:blocked|fine|warned)\(\s*"([a-z_]+)"/g),
  ]);
  const wanted = [
    ...members("flight/model/phases.py", "Phase").map((phase) => `phase.${phase}`),
    ...members("geofences/model.py", "Restriction").map((kind) => `zone.${kind}`),
    ...members("geofences/applicability.py", "Weekday").map((day) => `weekday.${day}`),
    ...members("geofences/applicability.py", "SolarEvent").map((event) => `sun.${event}`),
    ...members("hub_api/dispatch/incident_states.py", "PartyState").map((state) => `partystate.${state}`),
    ...checks.map((match) => `check.${match[1] ?? ""}`),
    // What the hub itself says of parties that it knows (hub_api/features/incidents/views.py).
    ..."open closed called reported dispatched on_scene planned commanded accepted airborne aed_on_ground lost ended".split(" ").map((state) => `partystate.${state}`),
    ...of("PartyKind").map((kind) => `party.${kind}`),
    ...of("Stage").map((stage) => `stage.${stage}`),
    ...of("IncidentState").map((state) => `incident.${state}`),
    ...of("PositionQuality").flatMap((quality) => [`quality.${quality}`, `choice.${quality}`]),
    ...of("Surface").map((surface) => `choice.${surface}`),
    ...of("DrillUse").map((use) => `choice.${use}`),
    ...of("LimitView", "datum").map((datum) => `datum.${datum}`),
    ...of("DockView", "door").map((door) => `door.${door}`),
    ...of("CandidateView", "verdict").map((verdict) => `verdict.${verdict}`),
    ...of("AuthorisationReadinessView", "state").map((state) => `approval.${state}`),
    ...of("FlightLineView", "outcome").map((outcome) => `records.${outcome}`),
    ...of("FlightLineView", "severity").map((severity) => `severity.${severity}`),
    ...of("RecordView", "status").filter((status) => status !== "complete").map((status) => `records.${status}`),
    ...of("SiteItemView", "action").filter((action) => action !== "unchanged").map((action) => `action.${action}`),
    ...of("OrderState").map((state) => `state.${state}`),
    ...of("Scope").map((scope) => `scope.${scope}`),
    ...of("FlightCommandRequest", "command").map((command) => `command.${command}`),
    ...of("SafeState").map((state) => `safe.${state}`),
    ...of("Role").map((role) => `role.${role}`),
  ];
  expect(wanted.length).toBeGreaterThan(150);
  expect(wanted.filter((key) => !(key in texts))).toEqual([]);
});

test("every reason that may be counted as why nothing flew has its words", () => {
  const root = new URL("../../../", import.meta.url);
  const found = new Set<string>();
  for (const folder of ["planner/", "hub_api/dispatch/", "hub_api/care/", "hub_api/weather/"]) {
    for (const name of readdirSync(new URL(folder, root)).filter((item) => item.endsWith(".py"))) {
      const source = readFileSync(new URL(folder + name, root), "utf8");
      for (const [, code] of source.matchAll(/Reason\(\s*"([a-z_]+)"/g)) found.add(`code.${code}`);
    }
  }
  expect(found.size).toBeGreaterThan(70);
  expect([...found].filter((key) => !(key in texts))).toEqual([]);
});
