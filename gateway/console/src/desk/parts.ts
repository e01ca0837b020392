// The parts beside the desk itself, as components get them.
import {inject, type InjectionKey} from 'vue';
import type {Alerts} from './alerts.ts';
import type {Customers} from './customers.ts';
import type {Directory} from './directory.ts';
import type {ParkedCalls} from './parked.ts';
import type {PhoneLine} from './phone_line.ts';

export const phoneKey: InjectionKey<PhoneLine> = Symbol('phone');
export const customersKey: InjectionKey<Customers> = Symbol('customers');
export const directoryKey: InjectionKey<Directory> = Symbol('directory');
export const parkedKey: InjectionKey<ParkedCalls> = Symbol('parked');
export const alertsKey: InjectionKey<Alerts> = Symbol('alerts');

// The page that was asked from provides it; pages without telephone or dialling have no use for the components that ask.
export function use<T>(key: InjectionKey<T>): T {
  const part = inject(key);
  if (!part) throw new Error('a part of the page is not provided');
  return part;
}
