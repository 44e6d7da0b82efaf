/** Where we are: the part of the address after `#/`. No rule of the hub or of a proxy is needed for it. */
class Router {
  #hash = $state(typeof location === "undefined" ? "" : location.hash);

  constructor() {
    if (typeof window !== "undefined") window.addEventListener("hashchange", () => (this.#hash = location.hash));
  }

  /** «records/flt_1» of `#/records/flt_1?at=3`. */
  get path(): string {
    return this.#hash.replace(/^#\/?/, "").split("?")[0] ?? "";
  }

  /** The first part of the path: which page. */
  get page(): string {
    return this.path.split("/")[0] ?? "";
  }

  /** The rest of the path, part by part. */
  get rest(): string[] {
    return this.path.split("/").slice(1).map(decodeURIComponent);
  }

  get query(): URLSearchParams {
    return new URLSearchParams(this.#hash.split("?")[1] ?? "");
  }

  go(path: string): void {
    location.hash = `#/${path}`;
  }

  /** Change the address without a step in the browser's history. */
  replace(path: string): void {
    history.replaceState(null, "", `#/${path}`);
    this.#hash = location.hash;
  }
}

export const router = new Router();
