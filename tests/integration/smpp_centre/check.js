// npm smpp as the message centre: it must understand what the gateway sends, and the gateway what it says, answers late or never says.
'use strict';
const assert = require('node:assert');
const {execFileSync} = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const smpp = require('smpp');
const {until, runChecks} = require('../shared/checks');
const {Gateway} = require('../shared/gateway');
const {Centre} = require('./centre');

// Accounts of the gateway: what each has beside the common settings. `receipt_ids` says how an id in a receipt is turned into the submit's.
const accounts = {
    main: {tlvs: [{tag: '0x0005', type: 'hex', value: '01'}], system_type: 'VMS'},
    udh16: {long_messages: 'udh16'},
    sar: {long_messages: 'sar'},
    payload: {long_messages: 'payload'},
    same: {receipt_ids: 'same'},
    hex_to_dec: {receipt_ids: 'hex_to_dec'},
    dec_to_hex: {receipt_ids: 'dec_to_hex'},
    shaky: {response_timeout: 'PT1S', window: 4},
    quiet: {enquire_interval: 'PT1S'},
    locked: {password: 'wrong'},
    secure: {},
};
const centre = new Centre(Object.fromEntries(Object.keys(accounts).map((name) => [name, 'secret08'])));
let secureCentre, gateway;
const keys = fs.mkdtempSync(path.join(os.tmpdir(), 'touchgate-'));

let phones = 0;
const nextPhone = () => `+86138${String(++phones).padStart(8, '0')}`;
const send = (phone, text, account, more = {}) => gateway.touch(phone, text, {channels: [account], ...more});
const textOf = (pdu) => pdu.short_message.message;
const accountState = async (name) => (await gateway.get('/v1/accounts')).items.find((item) => item.name === name);
const outcomes = (touch) => touch.attempts.map((attempt) => attempt.outcome);

// The reference, count and number of a part that a user-data header announces.
function partOf(pdu) {
    const element = pdu.short_message.udh.find((part) => part[0] === 0 || part[0] === 8);
    const wide = element[0] === 8;
    assert.strictEqual(element[1], wide ? 4 : 3);
    return {wide, reference: wide ? element.readUInt16BE(2) : element[2], count: element.at(-2), number: element.at(-1)};
}
const noHalfCharacters = (text) => assert(!/[\ud800-\udbff]$|^[\udc00-\udfff]/.test(text), 'a character is cut in two');

async function sendLong(account, text) {
    const phone = nextPhone();
    const id = await send(phone, text, account);
    const touch = await gateway.settled(id, 'accepted');
    assert.deepStrictEqual(outcomes(touch), ['accepted']);
    return {touch, pdus: centre.submitsTo(phone).map(({pdu}) => pdu)};
}
// 67 and 153: characters of a part with a header of 6 octets. The emoji and the euro would lie across the border between two parts.
const longChinese = '长'.repeat(66) + '😀' + '文'.repeat(80) + '。完';
const longLatin = 'L'.repeat(152) + '€' + 'x'.repeat(160) + ' [end]';

// A submit answered with one id, and a receipt that names it in another way: the touch in one of `states`.
async function roundTrip(account, answered, inReceipt, options, ...states) {
    centre.behave(account, () => ({message_id: answered}));
    const phone = nextPhone();
    const id = await send(phone, 'receipt', account);
    await gateway.settled(id, 'accepted');
    await centre.receipt(account, phone, inReceipt, options);
    const touch = await gateway.settled(id, ...states);
    centre.behave(account);
    return touch;
}

const checks = {
    async 'the bind carries what is configured, and a wrong password is shown'() {
        const {bind} = await centre.bound('main');
        assert.strictEqual(bind.command, 'bind_transceiver');
        assert.deepStrictEqual([bind.system_id, bind.password, bind.system_type, bind.interface_version], ['main', 'secret08', 'VMS', 0x34]);
        await until('the account is up', async () => (await accountState('main')).health === 'up');
        await until('the refusal', () => centre.refused.length > 0);
        assert.strictEqual(centre.refused[0].password, 'wrong');
        await until('the account is down', async () => (await accountState('locked')).health === 'down');
        assert.match((await accountState('locked')).last_error, /ESME_RINVPASWD/);
    },

    async 'a short text in the GSM alphabet'() {
        const phone = nextPhone();
        const expires_at = new Date(Date.now() + 3600e3);
        const text = 'Hello @ {€} [~] £ñ';
        const id = await send(phone, text, 'main', {expires_at: expires_at.toISOString()});
        const touch = await gateway.settled(id, 'accepted');
        const [pdu] = await centre.submitted(phone);
        assert.strictEqual(textOf(pdu), text);
        assert.deepStrictEqual([pdu.data_coding, pdu.esm_class, pdu.registered_delivery, pdu.protocol_id, pdu.service_type], [0, 0, 1, 0, '']);
        assert.deepStrictEqual([pdu.source_addr, pdu.source_addr_ton, pdu.source_addr_npi], ['10690000', 3, 0]);
        assert.deepStrictEqual([pdu.destination_addr, pdu.dest_addr_ton, pdu.dest_addr_npi], [phone.slice(1), 1, 1]);
        assert.strictEqual(pdu.dest_addr_subunit, 1);
        // Sent as a time from now, in whole seconds.
        const validity = pdu.validity_period.getTime() - expires_at.getTime();
        assert(validity > -3000 && validity <= 500, `valid until ${validity} ms after expires_at`);
        assert.deepStrictEqual([touch.attempts[0].account, touch.attempts[0].outcome, touch.attempts[0].segments], ['main', 'accepted', 1]);
    },

    async 'a Chinese text as UCS-2'() {
        const phone = nextPhone();
        const text = '【示例】你好，您的专属优惠已到账😀';
        await gateway.settled(await send(phone, text, 'main'), 'accepted');
        const [pdu] = await centre.submitted(phone);
        assert.deepStrictEqual([textOf(pdu), pdu.data_coding, pdu.esm_class], [text, 8, 0]);
    },

    async 'long texts with a user-data header of 8 and of 16 bits'() {
        for (const [account, wide] of [['main', false], ['udh16', true]]) {
            for (const [text, coding] of [[longChinese, 8], [longLatin, 0]]) {
                const {touch, pdus} = await sendLong(account, text);
                const parts = pdus.map(partOf);
                assert.strictEqual(new Set(parts.map((part) => part.reference)).size, 1);
                assert.deepStrictEqual(parts.map(({wide: w, count, number}) => [w, count, number]), parts.map((_, i) => [wide, parts.length, i + 1]));
                assert.strictEqual(parts.length, 3);
                assert.deepStrictEqual([touch.attempts[0].parts, touch.attempts[0].provider_ids.length], [3, 3]);
                assert(pdus.every((pdu) => pdu.data_coding === coding && pdu.esm_class === 0x40));
                pdus.forEach((pdu) => noHalfCharacters(textOf(pdu)));
                assert.strictEqual(pdus.map(textOf).join(''), text);
            }
        }
    },

    async 'long texts by SAR parameters'() {
        for (const text of [longChinese, longLatin]) {
            const {pdus} = await sendLong('sar', text);
            assert.deepStrictEqual(pdus.map((pdu) => [pdu.sar_total_segments, pdu.sar_segment_seqnum, pdu.sar_msg_ref_num, pdu.esm_class]),
                pdus.map((_, i) => [3, i + 1, pdus[0].sar_msg_ref_num, 0]));
            assert.strictEqual(pdus.length, 3);
            pdus.forEach((pdu) => noHalfCharacters(textOf(pdu)));
            assert.strictEqual(pdus.map(textOf).join(''), text);
        }
    },

    async 'long texts as one message_payload'() {
        for (const text of [longChinese, longLatin]) {
            const {pdus} = await sendLong('payload', text);
            assert.strictEqual(pdus.length, 1);
            assert.strictEqual(pdus[0].sm_length || textOf(pdus[0]).length, 0);
            assert.strictEqual(pdus[0].message_payload.message, text);
        }
    },

    async 'one part of a long text is throttled: only that part comes again'() {
        const phone = nextPhone();
        let refusals = 0;
        centre.behave('main', (pdu) => '+' + pdu.destination_addr === phone && partOf(pdu).number === 2 && refusals++ === 0 ? {command_status: smpp.ESME_RTHROTTLED} : {});
        const touch = await gateway.settled(await send(phone, longChinese, 'main'), 'accepted');
        assert.deepStrictEqual(outcomes(touch), ['accepted']);
        assert.deepStrictEqual((await centre.submitted(phone)).map((pdu) => partOf(pdu).number).sort(), [1, 2, 2, 3]);
        centre.behave('main');
    },

    async 'receipts by text, by parameters and by both'() {
        for (const form of ['text', 'tlv', 'both']) {
            const touch = await roundTrip('main', 'a1-' + form, 'a1-' + form, {form}, 'delivered');
            const [receipt] = touch.attempts[0].receipts;
            assert.deepStrictEqual([receipt.status, receipt.raw], ['delivered', 'DELIVRD']);
        }
        const unmarked = await roundTrip('main', 'a2', 'a2', {esm_class: 0}, 'delivered');
        assert.strictEqual(unmarked.attempts[0].receipts.length, 1);
    },

    async 'receipts that tell of a failure, in words of the standard and of carriers'() {
        const failed = await roundTrip('main', 'b1', 'b1', {stat: 'UNDELIV', state: smpp.MESSAGE_STATE.UNDELIVERABLE}, 'failed');
        assert.strictEqual(failed.attempts[0].receipts[0].raw, 'UNDELIV');
        const foreign = await roundTrip('main', 'b2', 'b2', {stat: 'MK:0001', form: 'text'}, 'failed');
        assert.strictEqual(foreign.attempts[0].receipts[0].raw, 'MK:0001');
    },

    async 'an intermediate receipt settles nothing, the last one does'() {
        centre.behave('main', () => ({message_id: 'c1'}));
        const phone = nextPhone();
        const id = await send(phone, 'pending', 'main');
        await gateway.settled(id, 'accepted');
        await centre.receipt('main', phone, 'c1', {stat: 'ENROUTE', state: smpp.MESSAGE_STATE.ENROUTE});
        assert.strictEqual((await gateway.get('/v1/touches/' + id)).state, 'accepted');
        await centre.receipt('main', phone, 'c1');
        await centre.receipt('main', phone, 'c1');
        const touch = await gateway.settled(id, 'delivered');
        assert.deepStrictEqual([...new Set(touch.attempts[0].receipts.map((receipt) => receipt.status))], ['pending', 'delivered']);
        assert.strictEqual(touch.events.filter((event) => event.type === 'touch.delivered').length, 1);
        centre.behave('main');
    },

    async 'ids that the receipt writes in another way'() {
        for (const [account, answered, inReceipt, form] of [
            ['main', '1F4AB', '1f4ab', 'text'], ['main', '0001f4ac', '128172', 'text'], ['main', '128173', '1f4ad', 'tlv'], ['main', '00128174', '128174', 'both'],
            ['dec_to_hex', '1f4af', '128175', 'text'], ['dec_to_hex', '1F4B0', '0000128176', 'tlv'],
            ['hex_to_dec', '128177', '1F4B1', 'text'], ['hex_to_dec', '0000128178', '1f4b2', 'both'], ['same', 'Ab-9', 'Ab-9', 'text'],
        ]) {
            const touch = await roundTrip(account, answered, inReceipt, {form}, 'delivered');
            assert.strictEqual(touch.attempts.length, 1);
        }
    },

    async 'an account that takes ids as they are is not given another message\'s receipt'() {
        centre.behave('same', () => ({message_id: '1f4b3'}));
        const phone = nextPhone();
        const id = await send(phone, 'same', 'same');
        await gateway.settled(id, 'accepted');
        await centre.receipt('same', nextPhone(), '128179');
        assert.strictEqual((await gateway.get('/v1/touches/' + id)).state, 'accepted');
        await centre.receipt('same', phone, '1f4b3');
        await gateway.settled(id, 'delivered');
        centre.behave('same');
    },

    async 'a receipt may come before the answer to its submit'() {
        const phone = nextPhone();
        centre.behave('main', (pdu, session) => {
            centre.receipt('main', phone, 'early-1').then(() => session.send(pdu.response({message_id: 'early-1'})));
            return null;
        });
        const touch = await gateway.settled(await send(phone, 'early', 'main'), 'delivered');
        assert.deepStrictEqual(outcomes(touch), ['accepted']);
        centre.behave('main');
    },

    async 'a customer opts out, in Chinese or not, and nothing goes to him any more'() {
        for (const word of ['退订', 'TD']) {
            const phone = nextPhone();
            const id = await send(phone, 'offer', 'main');
            await gateway.settled(id, 'accepted');
            await centre.deliver('main', 'deliver_sm', {source_addr: phone.slice(1), source_addr_ton: 1, source_addr_npi: 1, destination_addr: '10690000', short_message: word});
            await gateway.settled(id, 'replied');
            const refused = await gateway.settled(await send(phone, 'again', 'main'), 'blocked');
            assert.strictEqual(refused.decision.rule, 'opt-out');
            assert.strictEqual(centre.submitsTo(phone).length, 1);
            const received = (await gateway.events('types=message.received')).at(-1).data;
            assert.deepStrictEqual([received.content.text, received.account], [word, 'main']);
        }
    },

    async 'what a customer writes arrives whole: in parts, in one payload, as data_sm'() {
        const phone = nextPhone();
        const from = {source_addr: phone.slice(1), source_addr_ton: 1, source_addr_npi: 1, destination_addr: '10690000'};
        const piece = (number, message) => centre.deliver('main', 'deliver_sm', {...from, esm_class: 0x40, data_coding: 8, short_message: {udh: Buffer.from([5, 0, 3, 9, 2, number]), message}});
        await Promise.all([piece(2, '想问一下😀'), piece(1, '你好，')]);
        await centre.deliver('main', 'deliver_sm', {...from, short_message: '', data_coding: 8, message_payload: {message: '很'.repeat(200)}});
        await centre.deliver('main', 'data_sm', {...from, data_coding: 0, message_payload: {message: 'data {sm}'}});
        const texts = async () => (await gateway.events('types=message.received')).map((event) => event.data.content.text).slice(-3);
        await until('three messages', async () => (await texts()).at(-1) === 'data {sm}');
        assert.deepStrictEqual(await texts(), ['你好，想问一下😀', '很'.repeat(200), 'data {sm}']);
    },

    async 'throttled: it is sent again later, and once'() {
        const phone = nextPhone();
        let refusals = 0;
        centre.behave('main', () => refusals++ < 2 ? {command_status: smpp.ESME_RTHROTTLED} : {});
        const touch = await gateway.settled(await send(phone, 'slow down', 'main'), 'accepted');
        assert.strictEqual(centre.submitsTo(phone).length, 3);
        assert.deepStrictEqual(outcomes(touch), ['accepted'], 'an answer "too fast" is no attempt');
        centre.behave('main');
    },

    async 'refused: the code is shown and it is not sent again'() {
        for (const [command_status, outcome, code] of [[smpp.ESME_RINVDSTADR, 'recipient_invalid', '0x0B'], [smpp.ESME_RSUBMITFAIL, 'refused', '0x45']]) {
            const phone = nextPhone();
            centre.behave('main', () => ({command_status}));
            const touch = await gateway.settled(await send(phone, 'refused', 'main'), 'failed');
            assert.deepStrictEqual([outcomes(touch), touch.attempts[0].error.code], [[outcome], code]);
            assert.strictEqual(centre.submitsTo(phone).length, 1);
        }
        centre.behave('main');
    },

    async 'the connection is cut without an answer: the attempt is unknown and is not sent again'() {
        for (const cut of ['close', 'destroy']) {
            const phone = nextPhone();
            const before = await centre.bound('shaky');
            centre.behave('shaky', (pdu, session) => { session[cut](); return null; });
            const id = await send(phone, 'cut by ' + cut, 'shaky');
            const touch = await gateway.settled(id, 'unknown');
            assert.deepStrictEqual(outcomes(touch), ['unknown']);
            centre.behave('shaky');
            await until('another connection', () => centre.linkOf('shaky') !== undefined && centre.linkOf('shaky') !== before, 20);
            await gateway.settled(await send(nextPhone(), 'goes on', 'shaky'), 'accepted');
            assert.strictEqual(centre.submitsTo(phone).length, 1);
            // The receipt says what became of it, although its id was never told.
            await centre.receipt('shaky', phone, 'never-told-' + cut);
            await gateway.settled(id, 'delivered');
        }
    },

    async 'no answer in time: unknown; the late answer changes nothing, the receipt does'() {
        const phone = nextPhone();
        let late;
        centre.behave('shaky', (pdu, session) => { late = () => session.send(pdu.response({message_id: 'late-1'})); return null; });
        const id = await send(phone, 'late', 'shaky');
        await gateway.settled(id, 'unknown');
        late();
        centre.behave('shaky');
        await gateway.settled(await send(nextPhone(), 'goes on', 'shaky'), 'accepted');
        assert.strictEqual((await gateway.get('/v1/touches/' + id)).state, 'unknown');
        await centre.receipt('shaky', phone, 'late-1');
        await gateway.settled(id, 'delivered');
        assert.strictEqual(centre.submitsTo(phone).length, 1);
    },

    async 'who asks for at least once gets the unanswered text a second time'() {
        const phone = nextPhone();
        centre.behave('shaky', (pdu, session) => { centre.behave('shaky'); session.destroy(); return null; });
        const id = await send(phone, 'at least once', 'shaky', {delivery: 'at_least_once'});
        await gateway.settled(id, 'accepted');
        assert.strictEqual(centre.submitsTo(phone).length, 2);
    },

    async 'both sides ask whether the other is alive'() {
        const link = await centre.bound('quiet');
        await until('the gateway asks twice', () => link.asked >= 2);
        const answer = await new Promise((resolve) => link.session.enquire_link({}, resolve));
        assert.deepStrictEqual([answer.command, answer.command_status], ['enquire_link_resp', 0]);
        assert.strictEqual(centre.linkOf('quiet'), link);
    },

    async 'a request that a client need not know is refused and the connection goes on'() {
        const link = await centre.bound('main');
        const answer = await new Promise((resolve) => link.session.query_sm({message_id: 'x'}, resolve));
        assert.deepStrictEqual([answer.command, answer.command_status], ['generic_nack', smpp.ESME_RINVCMDID]);
        await gateway.settled(await send(nextPhone(), 'goes on', 'main'), 'accepted');
        assert.strictEqual(centre.linkOf('main'), link);
    },

    async 'the centre unbinds: answered, and bound again'() {
        const link = await centre.bound('udh16');
        const answer = await new Promise((resolve) => link.session.unbind({}, resolve));
        assert.deepStrictEqual([answer.command, answer.command_status], ['unbind_resp', 0]);
        await until('another connection', () => centre.linkOf('udh16') !== undefined && centre.linkOf('udh16') !== link, 20);
        await gateway.settled(await send(nextPhone(), 'goes on', 'udh16'), 'accepted');
    },

    async 'over TLS'() {
        const {session} = await secureCentre.bound('secure');
        assert(session.socket.encrypted);
        await gateway.settled(await send(nextPhone(), '加密', 'secure'), 'accepted');
        assert.strictEqual(textOf(secureCentre.submits[0].pdu), '加密');
    },

    async 'at its end the gateway waits for open answers and unbinds'() {
        const link = await centre.bound('main');
        const phone = nextPhone();
        let answer;
        centre.behave('main', (pdu, session) => { answer = () => centre.answer(session, pdu, {}); return null; });
        const id = await send(phone, 'the last one', 'main');
        await centre.submitted(phone);
        const ended = gateway.end('SIGTERM');
        await until('another account has left', () => centre.links.some((other) => other.bind.system_id === 'udh16' && other.left));
        assert(!link.left);
        answer();
        assert.deepStrictEqual(await ended, {status: 0, signal: null});
        assert(link.left);
        await gateway.start();
        assert.deepStrictEqual(outcomes(await gateway.settled(id, 'accepted')), ['accepted']);
        assert.strictEqual(centre.submitsTo(phone).length, 1);
    },

    async 'npm smpp could read every byte'() {
        assert.deepStrictEqual([...centre.faults, ...secureCentre.faults], []);
    },
};

(async () => {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', path.join(keys, 'key.pem'), '-out', path.join(keys, 'cert.pem'),
        '-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'], {stdio: 'ignore'});
    secureCentre = new Centre({secure: 'secret08'}, {key: fs.readFileSync(path.join(keys, 'key.pem')), cert: fs.readFileSync(path.join(keys, 'cert.pem'))});
    const [port, securePort] = [await centre.listen(), await secureCentre.listen()];
    for (const [name, account] of Object.entries(accounts))
        accounts[name] = {adapter: 'smpp', host: '127.0.0.1', port, system_id: name, password: 'secret08', source_address: '10690000', rate: 1000, tls: false, ...account};
    Object.assign(accounts.secure, {port: securePort, tls: {verify: true, ca_file: path.join(keys, 'cert.pem')}});
    gateway = new Gateway({accounts});
    await gateway.start();
    await runChecks(checks, {
        after: async () => {
            await gateway.remove();
            centre.close();
            secureCentre.close();
            fs.rmSync(keys, {recursive: true, force: true});
        },
    });
})();
