export {AgentClient, agentUrl, RequestError} from './client.ts';
export type {AgentClientOptions, ConnectionStatus, Hello, RequestFields, Reply, SocketLike, Timers} from './client.ts';
export {readPush, readCard, readInteraction, readMessage, readDispositions, readPromises} from './pushes.ts';
export type {
  CallState, Card, CardLead, CardPromise, CardRecord, Consent, Content, Disposition, InteractionView, LeadPush, Message, OfferPush, PresencePush, PresenceState, Push, Slot, SuggestedAction,
} from './pushes.ts';
export {countOf, isRecord, listOf, numberOf, recordOf, textOf, textsOf} from './reading.ts';
export type {Json, JsonRecord} from './reading.ts';
