// The softphone as a part of the desk: one tab has it, its health is reported, and it answers by itself what the agent has accepted.
import {reactive} from 'vue';
import type {Desk} from './desk.ts';
import {lockPhone, type PhoneLock} from '../phone/one_tab.ts';
import {readPhoneSettings, Softphone, type PhoneState} from '../phone/softphone.ts';
import {isVoice} from './state.ts';

export class PhoneLine {
  readonly shown = reactive<{state: PhoneState; ringing: {reference: string; caller: string} | null; talking: boolean; insecure: boolean}>(
    {state: 'off', ringing: null, talking: false, insecure: false});
  private phone: Softphone | null = null;
  private lock: PhoneLock | null = null;
  private asked = false;

  constructor(private readonly desk: Desk) {
    desk.onOnline(() => void this.begin());
    desk.onSignOut(() => this.end());
    desk.health = () => this.phone && this.shown.state !== 'elsewhere' ? {microphone: this.phone.hasMicrophone, registered: this.phone.isRegistered} : {};
    document.addEventListener('visibilitychange', () => { if (document.visibilityState === 'visible') this.phone?.refresh(); });
    window.addEventListener('beforeunload', event => { if (this.phone?.isTalking) event.preventDefault(); });
  }

  takeOver(): void { this.lock?.takeOver(); }
  answer(): void { this.phone?.answer(); }
  decline(): void { this.phone?.hangup(); }

  async retryMicrophone(): Promise<void> {
    this.phone?.stop();
    await this.phone?.start();
  }

  // False when the sound is not in this page.
  mute(muted: boolean): boolean {
    if (!this.phone?.isTalking) return false;
    this.phone.mute(muted);
    return true;
  }

  private async begin(): Promise<void> {
    if (this.asked) return;
    this.asked = true;
    const reply = await this.desk.ask('sip.settings', {}, true);
    const settings = reply && readPhoneSettings(reply);
    if (!settings) {
      this.asked = reply !== null || !this.desk.features.has('sip.settings');
      return;
    }
    this.shown.insecure = !window.isSecureContext;
    const phone = new Softphone(settings, {
      state: state => { this.shown.state = state; },
      ringing: call => { this.shown.ringing = call; },
      talking: talks => { this.shown.talking = talks; },
      muted: muted => {
        const call = this.desk.state.works.find(work => work.stage === 'active' && work.call)?.call;
        if (call) call.muted = muted;
      },
      shallAnswer: reference => this.desk.state.works.some(work => isVoice(work.channel) && work.stage !== 'closed' && work.stage !== 'wrapping'
        && (work.id === reference || (reference === '' && work.call?.state === 'dialing_agent'))),
    });
    this.phone = phone;
    this.lock = lockPhone(this.desk.self.value.agent, holds => {
      if (this.phone !== phone) return;
      if (holds) void phone.start();
      else phone.stop('elsewhere');
    });
  }

  private end(): void {
    const {phone, lock} = this;
    this.phone = null;
    this.lock = null;
    this.asked = false;
    phone?.stop();
    lock?.release();
    this.shown.state = 'off';
  }
}
