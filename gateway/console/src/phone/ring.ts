// Sounds made here, so that no file has to be loaded: the ring of calls and offers, and a short sign for a message.
export class Ring {
  private context: AudioContext | null = null;
  private stopRing: (() => void) | null = null;
  enabled = true;

  // Browsers make no sound before the person has touched the page; called at each touch until it works.
  unlock(): void {
    this.context ??= typeof AudioContext === 'undefined' ? null : new AudioContext();
    void this.context?.resume().catch(() => undefined);
  }

  get isAudible(): boolean { return this.context?.state === 'running'; }

  // Rings until stopped; once more while ringing changes nothing.
  start(): void {
    if (this.stopRing) return;
    let stopped = false;
    const round = () => {
      if (stopped) return;
      this.tone(0, 440, 0.4);
      this.tone(0.45, 480, 0.4);
    };
    round();
    const timer = setInterval(round, 2500);
    this.stopRing = () => {
      stopped = true;
      clearInterval(timer);
    };
  }

  stop(): void {
    this.stopRing?.();
    this.stopRing = null;
  }

  chime(): void {
    this.tone(0, 660, 0.12);
    this.tone(0.14, 880, 0.16);
  }

  private tone(after: number, hertz: number, seconds: number): void {
    const {context} = this;
    if (!this.enabled || context?.state !== 'running') return;
    const from = context.currentTime + after;
    const oscillator = context.createOscillator();
    const volume = context.createGain();
    oscillator.frequency.value = hertz;
    volume.gain.setValueAtTime(0, from);
    volume.gain.linearRampToValueAtTime(0.18, from + 0.02);
    volume.gain.setValueAtTime(0.18, from + seconds - 0.04);
    volume.gain.linearRampToValueAtTime(0, from + seconds);
    oscillator.connect(volume).connect(context.destination);
    oscillator.start(from);
    oscillator.stop(from + seconds);
  }
}
