// A refusal of the gateway in the agent's words.
import {listOf, recordOf, textOf, type RequestError} from '@agent-client';
import {hasWord, language, t, word} from '../texts/texts.ts';
import {shortTime} from '../texts/times.ts';

// The rule's own explanation, in the page's language, if the decision carries it.
function whyOf(decision: ReturnType<typeof recordOf>, rule: string): string {
  for (const step of listOf(decision['trace']).map(recordOf)) {
    if (textOf(step['rule']) !== rule) continue;
    const why = step['why'];
    return textOf(why) || textOf(recordOf(why)[language.value]) || textOf(recordOf(why)['en']);
  }
  return '';
}

function knownReason(rule: string): string {
  if (/opt-?out/.test(rule)) return t('policy.opt_out');
  if (/^window/.test(rule)) return t('policy.window');
  if (/consent/.test(rule)) return t('policy.consent');
  if (/hour|night|quiet/.test(rule)) return t('policy.hours');
  if (/cap|gap|budget|fatigue/.test(rule)) return t('policy.cap');
  return '';
}

export function explainDenial(error: RequestError, isCall: boolean, now: number): string {
  const decision = recordOf(error.reply['decision']);
  const rule = textOf(decision['rule']) || textOf(recordOf(error.reply['error'])['rule']);
  const until = textOf(decision['until']);
  const parts = [t(isCall ? 'policy.denied_call' : 'policy.denied')];
  const why = whyOf(decision, rule) || knownReason(rule) || error.detail;
  if (why !== '') parts.push(why);
  if (rule !== '') parts.push(t('policy.rule', {rule}));
  if (until !== '') parts.push(t('policy.until', {time: shortTime(until, now)}));
  return parts.join(' ');
}

export function explain(error: RequestError, request: string, now: number): string {
  if (error.code === 'policy_denied') return explainDenial(error, request.startsWith('call.'), now);
  if (error.code === 'bad_request') return t('error.bad_request', {detail: error.detail || request});
  if (!hasWord('error', error.code)) return t('error.other', {code: error.detail === '' ? error.code : `${error.code}, ${error.detail}`});
  const text = word('error', error.code);
  return error.detail === '' ? text : t('error.detail', {text, detail: error.detail});
}
