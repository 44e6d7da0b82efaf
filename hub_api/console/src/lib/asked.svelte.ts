import { ApiFailure } from "../api/client";
import { either, t } from "../i18n/language.svelte";

/** What the hub was asked for: the answer, that it is awaited, or why there is none. An old answer stays in sight. */
export class Asked<Data> {
  data = $state.raw<Data | null>(null);
  failure = $state.raw<ApiFailure | null>(null);
  busy = $state(false);
  #number = 0;

  /** Ask; a later question's answer is never covered by an earlier one's. Null where it failed. */
  async run(asked: () => Promise<Data>): Promise<Data | null> {
    const mine = (this.#number += 1);
    this.busy = true;
    try {
      const data = await asked();
      if (mine !== this.#number) return data;
      this.data = data;
      this.failure = null;
      return data;
    } catch (error) {
      if (mine === this.#number) this.failure = error instanceof ApiFailure ? error : new ApiFailure(0, String(error), String(error), "");
      return null;
    } finally {
      if (mine === this.#number) this.busy = false;
    }
  }

  /** Why it failed; null when it did not. */
  get why(): string | null {
    return this.failure === null ? null : whyOf(this.failure);
  }
}

/** Why a question failed, in the chosen language, with every field at fault. */
export function whyOf(failure: ApiFailure): string {
  if (failure.unreachable) return t("problem.unreachable");
  const fields = failure.errors.map((error) => `${error.field}: ${either(error.detail, error.detail_zh)}`).join("; ");
  return `${either(failure.title, failure.titleZh)} — ${fields || either(failure.detail, failure.detailZh)}`;
}
