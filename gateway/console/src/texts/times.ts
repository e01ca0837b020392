// Times as a person reads them, in the page's language and the browser's zone.
import {language, t} from './texts.ts';

export function parseTime(text: string): number | null {
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : at;
}

// "09:41" today, else with the date.
export function shortTime(at: number | string, now: number): string {
  const ms = typeof at === 'string' ? parseTime(at) : at;
  if (ms === null) return '';
  const sameDay = new Date(ms).toDateString() === new Date(now).toDateString();
  const format: Intl.DateTimeFormatOptions = sameDay ? {hour: '2-digit', minute: '2-digit', hour12: false}
    : {month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', hour12: false};
  return new Intl.DateTimeFormat(language.value, format).format(ms);
}

export function timeInZone(zone: string, now: number): string {
  try {
    return new Intl.DateTimeFormat(language.value, {timeZone: zone, hour: '2-digit', minute: '2-digit', hour12: false}).format(now);
  } catch {
    return '';
  }
}

// "0:07", "12:30", "1:02:03", "2 d".
export function clockText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds >= 86_400) return t('time.days', {days: Math.floor(seconds / 86_400)});
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

// For <input type="datetime-local">.
export function localInputValue(ms: number): string {
  const date = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return date.toISOString().slice(0, 16);
}
