// Reading values that came over the network: each function takes anything and never throws.

export type Json = null | boolean | number | string | Json[] | JsonRecord;
export type JsonRecord = {[key: string]: Json};

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function recordOf(value: unknown): JsonRecord {
  return isRecord(value) ? value : {};
}

// A text, or a number as text; '' for anything else.
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : '';
}

export function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

// A whole number that is not negative; null for anything else.
export function countOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

export function listOf(value: unknown): Json[] {
  return Array.isArray(value) ? value as Json[] : [];
}

export function textsOf(value: unknown): string[] {
  return listOf(value).map(textOf).filter(text => text !== '');
}
