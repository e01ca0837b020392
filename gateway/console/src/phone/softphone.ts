// The agent's telephone in the page: registers at the telephone system over SIP, takes the calls that the gateway sends, carries the sound.
// Everything about the call itself (hold, transfer, recording, its end in the log) is the gateway's; this only answers, mutes and hangs up.
import {isRecord, listOf, recordOf, textOf, type JsonRecord} from '@agent-client';
import type {RTCSession} from 'jssip/lib/RTCSession';
import type {UA} from 'jssip/lib/UA';

export type PhoneState = 'off' | 'connecting' | 'registered' | 'failed' | 'no_microphone' | 'elsewhere';

export interface PhoneSettings { uri: string; websocket: string; password: string; ice: RTCIceServer[] }

export interface PhoneEvents {
  state(state: PhoneState): void;
  ringing(call: {reference: string; caller: string} | null): void;  // a call that has to be answered by hand; null: it is over
  talking(talks: boolean): void;
  muted(muted: boolean): void;
  shallAnswer(reference: string): boolean;                          // whether the agent has accepted this call on the desk already
}

const gatheringLimitMs = 500;  // JsSIP waits for the end of gathering; an unreachable STUN server must not delay every call

// The settings that `sip.settings` answered with; null when the agent has no softphone.
export function readPhoneSettings(reply: JsonRecord): PhoneSettings | null {
  const told = isRecord(reply['sip']) ? reply['sip'] : reply;
  const uri = textOf(told['uri']);
  const websocket = textOf(told['websocket']);
  if (uri === '' || !/^wss?:\/\//.test(websocket)) return null;
  const servers = listOf(told['ice']).map(server => typeof server === 'string' ? {urls: server} : recordOf(server));
  const ice = servers.filter(server => textOf(server['urls']) !== '' || Array.isArray(server['urls'])) as unknown as RTCIceServer[];
  return {uri: uri.startsWith('sip:') ? uri : `sip:${uri}`, websocket, password: textOf(told['password']), ice};
}

export class Softphone {
  private agent: UA | null = null;
  private session: RTCSession | null = null;
  private accepted = '';  // the call that the session was answered for, if by itself
  private microphoneGranted = false;
  private currentState: PhoneState = 'off';
  private readonly audio: HTMLAudioElement;

  constructor(private readonly settings: PhoneSettings, private readonly events: PhoneEvents) {
    this.audio = new Audio();
    this.audio.autoplay = true;
  }

  get state(): PhoneState { return this.currentState; }
  get hasMicrophone(): boolean { return this.microphoneGranted; }
  get isRegistered(): boolean { return this.currentState === 'registered'; }
  get isTalking(): boolean { return this.session?.isEstablished() ?? false; }

  async start(): Promise<void> {
    if (this.agent) return;
    if (!await this.askMicrophone()) return;
    this.set('connecting');
    const {UA: UserAgent, WebSocketInterface} = await import('jssip');
    const socket = new WebSocketInterface(this.settings.websocket);
    const agent = new UserAgent({
      sockets: [socket], uri: this.settings.uri, register: true, register_expires: 120, user_agent: 'Touchgate',
      ...(this.settings.password === '' ? {} : {password: this.settings.password}),
    });
    this.agent = agent;
    agent.on('registered', () => this.set('registered'));
    agent.on('unregistered', () => { if (this.agent) this.set('connecting'); });
    agent.on('registrationFailed', () => this.set('failed'));
    agent.on('disconnected', () => { if (this.agent) this.set('connecting'); });
    agent.on('newRTCSession', (event: {originator: string; session: RTCSession; request: {getHeader(name: string): string | undefined}}) => {
      if (event.originator === 'remote') this.incoming(event.session, event.request.getHeader('X-Touchgate-Interaction') ?? '');
    });
    agent.start();
  }

  stop(state: PhoneState = 'off'): void {
    const {agent} = this;
    this.agent = null;
    agent?.stop();
    this.session = null;
    this.events.ringing(null);
    this.set(state);
  }

  // After the tab was away: another tab may have taken the registration without a word to this one.
  refresh(): void {
    if (this.agent && this.currentState === 'registered') this.agent.register();
  }

  answer(): void {
    this.session?.answer({mediaConstraints: {audio: true, video: false}, pcConfig: {iceServers: this.settings.ice}});
  }

  hangup(): void {
    const {session} = this;
    if (!session || session.isEnded()) return;
    if (session.isEstablished()) session.terminate();
    else session.terminate({status_code: 486});
  }

  mute(muted: boolean): void {
    if (!this.session) return;
    if (muted) this.session.mute({audio: true});
    else this.session.unmute({audio: true});
  }

  private set(state: PhoneState): void {
    if (state === this.currentState) return;
    this.currentState = state;
    this.events.state(state);
  }

  private async askMicrophone(): Promise<boolean> {
    try {
      const stream = await navigator.mediaDevices.getUserMedia({audio: true});
      for (const track of stream.getTracks()) track.stop();
      this.microphoneGranted = true;
    } catch {
      this.microphoneGranted = false;
      this.set('no_microphone');
    }
    return this.microphoneGranted;
  }

  private incoming(session: RTCSession, reference: string): void {
    if (this.session && !this.session.isEnded()) {
      // A telephone system that was restarted never says that its calls have ended; the gateway does.
      if (this.accepted === '' || this.events.shallAnswer(this.accepted)) {
        session.terminate({status_code: 486});
        return;
      }
      this.session.terminate();
    }
    this.session = session;
    this.accepted = '';
    let limit: ReturnType<typeof setTimeout> | null = null;
    session.on('icecandidate', (event: {ready: () => void}) => { limit ??= setTimeout(() => event.ready(), gatheringLimitMs); });
    session.on('peerconnection', (event: {peerconnection: RTCPeerConnection}) => {
      event.peerconnection.addEventListener('track', track => {
        this.audio.srcObject = track.streams[0] ?? new MediaStream([track.track]);
        void this.audio.play().catch(() => undefined);
      });
    });
    session.on('confirmed', () => {
      this.events.ringing(null);
      this.events.talking(true);
    });
    session.on('muted', () => this.events.muted(true));
    session.on('unmuted', () => this.events.muted(false));
    session.on('getusermediafailed', () => {
      this.microphoneGranted = false;
      this.set('no_microphone');
    });
    const over = () => {
      if (limit !== null) clearTimeout(limit);
      if (this.session !== session) return;
      this.session = null;
      this.audio.srcObject = null;
      this.events.ringing(null);
      this.events.talking(false);
      this.events.muted(false);
    };
    session.on('ended', over);
    session.on('failed', over);
    if (this.events.shallAnswer(reference)) {
      this.accepted = reference;
      this.answer();
    } else this.events.ringing({reference, caller: session.remote_identity.display_name || ''});
  }
}
