import { live } from "../live/live.svelte";

const POSITION = /^position of (pad of |landing point )?(.+) is (approximate|published), not surveyed$/;
const QUALITY = { approximate: "大致位置", published: "公开资料" } as const;

/**
 * A plan's condition in Chinese. The planner notes them in one language; the one that it words itself is translated
 * here with the place's Chinese name. What an airspace authority wrote stays as it was written.
 */
export function conditionInChinese(condition: string): string {
  const [, , name, quality] = POSITION.exec(condition) ?? [];
  if (name === undefined || quality === undefined) return condition;
  const place = [...live.stations, ...live.landingPoints].find((item) => item.name === name);
  return `${place?.name_zh ?? name}的坐标为${QUALITY[quality as keyof typeof QUALITY]}，未经测量`;
}
