// The language of the page and the texts in it. Chosen by the person, else by the browser.
import {ref} from 'vue';
import {catalogue, type Language, type TextKey} from './catalogue.ts';

export type {Language, TextKey};
export const languages: readonly Language[] = ['zh-CN', 'en'];
const storageKey = 'touchgate.language';

export function preferredLanguage(wanted: readonly string[]): Language {
  for (const each of wanted) {
    if (/^zh\b/i.test(each)) return 'zh-CN';
    if (/^en\b/i.test(each)) return 'en';
  }
  return 'en';
}

function firstLanguage(): Language {
  try {
    const kept = localStorage.getItem(storageKey);
    if (kept === 'en' || kept === 'zh-CN') return kept;
  } catch {
    // Storage is refused; the browser's wish counts.
  }
  return preferredLanguage(typeof navigator === 'undefined' ? [] : navigator.languages);
}

export const language = ref<Language>(firstLanguage());

export function setLanguage(chosen: Language): void {
  language.value = chosen;
  try {
    localStorage.setItem(storageKey, chosen);
  } catch {
    // Kept for this page only.
  }
}

export type Values = Record<string, string | number>;

export function fill(pattern: string, values: Values): string {
  return pattern.replace(/\{(\w+)\}/g, (whole, name: string) => name in values ? String(values[name]) : whole);
}

export function t(key: TextKey, values: Values = {}): string {
  return fill(catalogue[key][language.value === 'en' ? 0 : 1], values);
}

// The text of a word of the protocol, such as a state; a word of a newer gateway is shown as it is.
export function word(group: string, value: string): string {
  const key = `${group}.${value}`;
  return key in catalogue ? t(key as TextKey) : value.replaceAll('_', ' ');
}

export function hasWord(group: string, value: string): boolean {
  return `${group}.${value}` in catalogue;
}
