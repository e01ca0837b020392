// How the desk calls for attention: the ring, the tab's title, the operating system's notifications, and the words that screen readers speak at once.
import {reactive, watch} from 'vue';
import {textOf} from '@agent-client';
import {Ring} from '../phone/ring.ts';
import {hasWord, t, word, type TextKey} from '../texts/texts.ts';
import {shortTime} from '../texts/times.ts';
import {gatewayNow} from '../timing/now.ts';
import type {Desk} from './desk.ts';
import {customerName} from './naming.ts';
import type {PhoneLine} from './phone_line.ts';
import {shortcutLabel} from './shortcuts.ts';
import type {Offer} from './state.ts';

const soundKey = 'touchgate.sound';

function previewOf(content: Record<string, unknown>): string {
  return typeof content['text'] === 'string' ? content['text'].slice(0, 80) : '';
}

export class Alerts {
  readonly shown = reactive({assertive: '', polite: '', soundLocked: false, sound: localStorage.getItem(soundKey) !== 'off', notifications: this.permission()});
  private readonly ring = new Ring();

  constructor(private readonly desk: Desk, phone: PhoneLine) {
    this.ring.enabled = this.shown.sound;
    const unlock = () => {
      this.ring.unlock();
      this.shown.soundLocked = false;
    };
    // Not when the button goes down: what disappears then would move what is being clicked.
    for (const kind of ['click', 'keydown']) window.addEventListener(kind, unlock, {passive: true});
    desk.onPush(push => {
      if (push.type === 'offer' && !push.autoAnswer) this.announce(push.offer);
      if (push.type === 'message' && push.message.direction === 'in') {
        const work = desk.work(push.interaction);
        if (!work) return;
        const text = t('conversation.new_in', {customer: customerName(work.card, work.contactId), text: previewOf(push.message.content)});
        this.shown.polite = text;
        if (work.unread > 0) this.ring.chime();
        this.notify(text);
      }
      if (push.type === 'offer.revoked' && push.reason !== 'rejected')
        desk.notices.say(t(({timeout: 'revoked.timeout', accepted_elsewhere: 'revoked.accepted_elsewhere', cancelled: 'revoked.cancelled', not_routable: 'revoked.not_routable'} as const)[
          push.reason as 'timeout'] ?? 'revoked.other'));
      if (push.type === 'promise') {
        desk.notices.say(t('notified.promise', {note: push.promise.note || push.promise.contact}));
        this.ring.chime();
      }
      if (push.type === 'notice' && (hasWord('notified', push.kind) || push.text !== '')) {
        const work = desk.work(push.interaction);
        const customer = customerName(work?.card ?? null, work?.contactId ?? '');
        desk.notices.say(push.text || t(`notified.${push.kind}` as TextKey, {customer}));
        this.ring.chime();
      }
      if (push.type === 'lead.assigned') {
        desk.notices.say(t('leads.announce'));
        this.ring.chime();
      }
    });
    desk.onFrame(frame => {
      if (frame['type'] === 'token.expiring') desk.notices.say(t('sign_in.expiring', {time: shortTime(textOf(frame['expires_at']), gatewayNow())}), 'refusal');
    });
    watch(() => desk.state.offers.length > 0 || phone.shown.ringing !== null, rings => {
      if (rings) {
        this.ring.start();
        this.shown.soundLocked = this.shown.sound && !this.ring.isAudible;
      } else {
        this.ring.stop();
        this.shown.soundLocked = false;
      }
    });
    watch(() => this.title(), title => { document.title = title; }, {immediate: true});
  }

  setSound(on: boolean): void {
    this.shown.sound = on;
    this.ring.enabled = on;
    localStorage.setItem(soundKey, on ? 'on' : 'off');
  }

  async askNotifications(): Promise<void> {
    if (typeof Notification === 'undefined') return;
    await Notification.requestPermission();
    this.shown.notifications = this.permission();
  }

  private permission(): 'granted' | 'denied' | 'default' {
    return typeof Notification === 'undefined' ? 'denied' : Notification.permission;
  }

  private title(): string {
    const offer = this.desk.state.offers[0];
    if (offer) return t('offers.title_flash', {customer: customerName(offer.card, '')});
    const unread = this.desk.state.works.reduce((sum, work) => sum + work.unread, 0);
    return unread > 0 ? `(${unread}) ${t('app.title')}` : t('app.title');
  }

  private announce(id: string): void {
    const offer: Offer | undefined = this.desk.state.offers.find(each => each.id === id);
    if (!offer) return;
    const text = t('offers.announce', {channel: word('channel', offer.channel), customer: customerName(offer.card, ''), queue: offer.queue, accept: shortcutLabel('accept'),
                                       reject: shortcutLabel('reject')});
    this.shown.assertive = text;
    this.notify(text);
  }

  private notify(text: string): void {
    if (this.shown.notifications !== 'granted' || document.visibilityState === 'visible') return;
    const notification = new Notification(t('app.brand'), {body: text, tag: 'touchgate'});
    notification.onclick = () => {
      window.focus();
      notification.close();
    };
  }
}
