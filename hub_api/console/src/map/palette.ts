/** Colours of the map; each has a shape or a pattern of its own beside it. */
export const palette = {
  ground: "#0b1219",
  water: "#10283c",
  grid: "#1d2b39",
  ink: "#e8eef4",
  quiet: "#93a4b5",
  halo: "rgba(8, 14, 20, 0.9)",
  way: "#56b4e9",
  wayBack: "#7f93a8",
  flown: "#f4f7fa",
  incident: "#ff5c5c",
  station: "#56b4e9",
  landingPoint: "#2fc296",
  closedPoint: "#93a4b5",
  rally: "#f0b429",
  selected: "#ffffff",
  flying: "#56d4f0",
  standing: "#8fa3b5",
  trouble: "#ff7a3d",
  stale: "#7d8a97",
  measure: "#f0e442",
} as const;

export type ZoneKind = "PROHIBITED" | "REQ_AUTHORISATION" | "CONDITIONAL" | "KEEP_IN" | "NO_RESTRICTION" | "AUTHORISED";

type ZoneLook = { stroke: string; fill: string; hatch: "diagonal" | "cross" | "dots" | "none"; dash: number[]; width: number };

export const zoneLooks: Record<ZoneKind, ZoneLook> = {
  PROHIBITED: { stroke: "#ff6b57", fill: "rgba(255, 92, 70, 0.13)", hatch: "diagonal", dash: [], width: 1.6 },
  REQ_AUTHORISATION: { stroke: "#f0b429", fill: "rgba(240, 180, 41, 0.05)", hatch: "dots", dash: [], width: 1.3 },
  CONDITIONAL: { stroke: "#c8a2e8", fill: "rgba(200, 162, 232, 0.06)", hatch: "none", dash: [7, 4], width: 1.3 },
  AUTHORISED: { stroke: "#2fc296", fill: "rgba(0, 0, 0, 0)", hatch: "none", dash: [2, 4], width: 1.3 },
  NO_RESTRICTION: { stroke: "#7d8a97", fill: "rgba(0, 0, 0, 0)", hatch: "none", dash: [2, 6], width: 1 },
  KEEP_IN: { stroke: "#e8eef4", fill: "rgba(0, 0, 0, 0)", hatch: "none", dash: [12, 6], width: 1.6 },
};
