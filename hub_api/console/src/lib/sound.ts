/** Alarm sounds, made by the browser itself: no file to load, nothing to license. */

export type Tone = "urgent" | "caution" | "notice" | "good";

/** Hertz and seconds, one after the other. Chosen: apart in pitch and rhythm, audible on a poor loudspeaker. */
const TONES: Record<Tone, readonly (readonly [hz: number, s: number])[]> = {
  urgent: [[988, 0.16], [740, 0.16], [988, 0.16], [740, 0.16]],
  caution: [[660, 0.2], [0, 0.1], [660, 0.2]],
  notice: [[784, 0.12], [1047, 0.2]],
  good: [[523, 0.12], [659, 0.12], [784, 0.25]],
};
const VOLUME = 0.25;

let context: AudioContext | null = null;

/** Whether the browser lets us be heard: not before somebody touched the page. */
export function soundBlocked(): boolean {
  return context === null || context.state !== "running";
}

/** Ask to be heard; to be called from a click or a key. */
export async function unlockSound(): Promise<void> {
  context ??= new AudioContext();
  await context.resume();
}

export function play(tone: Tone): void {
  if (context === null || context.state !== "running") return;
  let at = context.currentTime + 0.02;
  for (const [hz, seconds] of TONES[tone]) {
    if (hz > 0) {
      const oscillator = context.createOscillator();
      const gain = context.createGain();
      oscillator.type = "triangle";
      oscillator.frequency.value = hz;
      gain.gain.setValueAtTime(0, at);
      gain.gain.linearRampToValueAtTime(VOLUME, at + 0.01);
      gain.gain.setValueAtTime(VOLUME, at + seconds - 0.03);
      gain.gain.linearRampToValueAtTime(0, at + seconds);
      oscillator.connect(gain).connect(context.destination);
      oscillator.start(at);
      oscillator.stop(at + seconds);
    }
    at += seconds;
  }
}
