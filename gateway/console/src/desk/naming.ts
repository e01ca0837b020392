// How a customer is called on the page: by name, else by the masked number, else by his number with us.
import {isRecord, readCard, type Card} from '@agent-client';
import {t} from '../texts/texts.ts';

export function customerName(card: Card | null, contactId: string): string {
  return card?.name || card?.phones[0] || card?.id || contactId || t('offers.unknown_customer');
}

// The customer of a reply to contact.get.
export function readContact(value: unknown): Card | null {
  return readCard(isRecord(value) && isRecord(value['card']) ? value['card'] : value);
}
