// What a message is, beyond its words: an image, a voice message, a file, a place … Only named and linked, never loaded: the page takes nothing from outside.
import {isRecord, numberOf, recordOf, textOf, type Message} from '@agent-client';
import {hasWord, t, word} from '../texts/texts.ts';

export interface Attachment { label: string; lines: string[]; link: string }

// Words that providers use for the same thing.
const kinds: Record<string, string> = {
  image: 'image', picture: 'image', voice: 'voice', audio: 'voice', video: 'video', shortvideo: 'video', file: 'file', document: 'file', location: 'location', link: 'link',
  card: 'card', business_card: 'card', miniprogram: 'miniprogram', mini_program: 'miniprogram', miniprogrampage: 'miniprogram', news: 'news', mpnews: 'news', msgmenu: 'menu', menu: 'menu',
  template_message: 'template', subscribe_message: 'template', template_card: 'template', event: 'event',
};

export function attachmentOf(message: Message): Attachment | null {
  const {content} = message;
  const named = Object.keys(content).find(key => key in kinds && isRecord(content[key]));
  const kind = named ?? (message.kind !== '' && message.kind !== 'text' ? message.kind : textOf(content['kind']) || textOf(content['type']));
  if (kind === '' || kind === 'text') return textOf(content['text']) === '' && Object.keys(content).length > 0 ? {label: t('attachment.other', {kind: Object.keys(content)[0] ?? ''}), lines: [], link: ''} : null;
  const detail = {...content, ...recordOf(named === undefined ? null : content[named])};
  const known = kinds[kind] ?? kind;
  const lines = [detail['title'], detail['name'], detail['filename'], detail['file_name'], detail['description'], detail['digest'], detail['address'], detail['label']].map(textOf).filter(text => text !== '');
  const latitude = numberOf(detail['latitude']);
  const longitude = numberOf(detail['longitude']);
  if (latitude !== null && longitude !== null) lines.push(`${latitude}, ${longitude}`);
  const duration = numberOf(detail['duration']) ?? numberOf(detail['play_length']);
  if (duration !== null) lines.push(t('attachment.seconds', {seconds: Math.round(duration)}));
  const link = textOf(detail['url']) || textOf(detail['link']) || textOf(detail['pic_url']);
  return {label: hasWord('attachment', known) ? word('attachment', known) : t('attachment.other', {kind: known}), lines: [...new Set(lines)], link: /^https?:\/\//.test(link) ? link : ''};
}
