// The official SDKs of Aliyun and Tencent Cloud as clients of the simulated clouds.
'use strict';
const assert = require('node:assert');
const dns = require('node:dns');
const http = require('node:http');
const {Config} = require('@alicloud/openapi-core/dist/utils');
const aliyun = require('@alicloud/dysmsapi20170525');
const tencent = require('tencentcloud-sdk-nodejs-sms').sms.v20210111;
const {until, runChecks} = require('../shared/checks');

const ports = JSON.parse(process.env.SANDBOX_PORTS);
const control = `http://${ports.listen}/sandbox`;
const get = async (path) => (await fetch(control + path)).json();
const behave = async (behaviour) => assert((await fetch(control + '/behaviour', {method: 'PUT', body: JSON.stringify(behaviour)})).ok);
const last = async () => (await get('/messages?limit=100000')).items.at(-1);
const today = () => new Date(Date.now() + 8 * 3600e3).toISOString().slice(0, 10).replaceAll('-', '');

// Tencent's SDK takes the service it signs for from the first word of the host name, so the sandbox needs a name, known to this process alone.
const tencentHost = 'sms.sandbox.invalid';
const lookup = dns.lookup;
dns.lookup = (host, options, done) => lookup(host === tencentHost ? '127.0.0.1' : host, options, done);

const aliyunClient = (fields = {}) => new aliyun.default(new Config({accessKeyId: 'LTAI-EXAMPLE', accessKeySecret: 'made-up-secret', endpoint: ports.aliyun, protocol: 'http', ...fields}));
const tencentClient = (secretKey = 'made-up-secret') => new tencent.Client({credential: {secretId: 'AKID-EXAMPLE', secretKey}, region: 'ap-guangzhou',
    profile: {httpProfile: {endpoint: `${tencentHost}:${ports.tencent.split(':').pop()}`, protocol: 'http://'}}});
const aliyunMessage = (fields = {}) => new aliyun.SendSmsRequest({phoneNumbers: '13900000001', signName: '示例科技', templateCode: 'SMS_1',
    templateParam: JSON.stringify({code: '123456', name: '张三😀'}), outId: 'attempt-1', ...fields});
const tencentMessage = (fields = {}) => ({PhoneNumberSet: ['+8613900000001'], SmsSdkAppId: '1400000001', TemplateId: '1001', SignName: '示例科技',
    TemplateParamSet: ['123456', '5'], SessionContext: 'attempt-1', ...fields});

const checks = {
    async 'aliyun: SendSms is accepted and arrives with its text'() {
        const {body} = await aliyunClient().sendSms(aliyunMessage());
        assert.strictEqual(body.code, 'OK');
        assert(body.bizId);
        const stored = await last();
        assert.strictEqual(stored.text, '【示例科技】您的验证码是123456，张三😀');
        assert.strictEqual(stored.via, 'aliyun');
        assert.strictEqual(stored.account_user, 'LTAI-EXAMPLE');
    },

    async 'aliyun: characters that encodings treat differently survive signing and sending'() {
        const {body} = await aliyunClient().sendSms(aliyunMessage({signName: "签名(测试)*~'!", templateParam: JSON.stringify({code: 'a b+c/d=e&f?g#h%i~j*k(l)m!n\'o"p', name: 'l1\nl2'})}));
        assert.strictEqual(body.code, 'OK');
        assert.strictEqual((await last()).text, "【签名(测试)*~'!】您的验证码是a b+c/d=e&f?g#h%i~j*k(l)m!n'o\"p，l1\nl2");
    },

    async 'aliyun: the old RPC signature is accepted too'() {
        const {body} = await aliyunClient({signatureAlgorithm: 'v2', signatureVersion: '1.0'}).sendSms(aliyunMessage());
        assert.strictEqual(body.code, 'OK');
    },

    async 'aliyun: SendBatchSms sends each number its own text'() {
        const {body} = await aliyunClient().sendBatchSms(new aliyun.SendBatchSmsRequest({phoneNumberJson: '["13900000001","13900000002"]', signNameJson: '["示例科技","示例科技"]',
            templateCode: 'SMS_1', templateParamJson: JSON.stringify([{code: '1', name: 'a'}, {code: "2 2+2*(~)'!", name: 'b'}])}));
        assert.strictEqual(body.code, 'OK');
        assert.strictEqual((await last()).text, "【示例科技】您的验证码是2 2+2*(~)'!，b");
    },

    async 'aliyun: QuerySendDetails tells what became of a message'() {
        const query = () => aliyunClient().querySendDetails(new aliyun.QuerySendDetailsRequest({phoneNumber: '13900000001', sendDate: today(), pageSize: 50, currentPage: 1}));
        await until('delivered', async () => (await query()).body.smsSendDetailDTOs.smsSendDetailDTO.every((item) => item.sendStatus === 3));
        const {body} = await query();
        assert.strictEqual(body.code, 'OK');
        assert(body.smsSendDetailDTOs.smsSendDetailDTO.some((item) => item.outId === 'attempt-1' && item.errCode === 'DELIVERED'));
    },

    async 'aliyun: business refusals come with status 200, a wrong secret as an error'() {
        assert.strictEqual((await aliyunClient().sendSms(aliyunMessage({phoneNumbers: '12'}))).body.code, 'isv.MOBILE_NUMBER_ILLEGAL');
        assert.strictEqual((await aliyunClient().sendSms(aliyunMessage({templateCode: 'SMS_9'}))).body.code, 'isv.SMS_TEMPLATE_ILLEGAL');
        await assert.rejects(aliyunClient({accessKeySecret: 'wrong'}).sendSms(aliyunMessage()), /SignatureDoesNotMatch/);
        await assert.rejects(aliyunClient({accessKeyId: 'unknown'}).sendSms(aliyunMessage()), /InvalidAccessKeyId.NotFound/);
    },

    async 'aliyun: no_answer takes the message and breaks off'() {
        await behave({aliyun: {no_answer: 1, receipts: {}}});
        const before = (await get('/stats')).aliyun.accepted;
        await assert.rejects(aliyunClient().sendSms(aliyunMessage()));
        await behave({aliyun: {no_answer: 0, receipts: {DELIVRD: 1}}});
        assert((await get('/stats')).aliyun.accepted > before);
        assert.strictEqual((await last()).answered, false);
    },

    async 'aliyun: receipts come by callback, again after a refusal, and a customer can write'() {
        const got = [];  // leaving out receipts of the earlier checks
        const receiver = http.createServer((request, response) => {
            let body = '';
            request.on('data', (piece) => { body += piece; });
            request.on('end', () => {
                const items = JSON.parse(body);
                const ours = request.url === '/up' || items.some((item) => item.out_id === 'callback-1');
                if (ours) got.push([request.url, items.filter((item) => request.url === '/up' || item.out_id === 'callback-1')]);
                response.end(ours && got.length === 1 ? 'not what was agreed' : JSON.stringify({code: 0, msg: '接收成功'}));
            });
        });
        await new Promise((resolve) => receiver.listen(0, '127.0.0.1', resolve));
        const url = `http://127.0.0.1:${receiver.address().port}`;
        await behave({aliyun: {receipt_url: url + '/report?x=1', mo_url: url + '/up', retry_scale: 0.001}});
        const {body} = await aliyunClient().sendSms(aliyunMessage({outId: 'callback-1'}));
        await until('the callback and its repeat', () => got.length === 2);
        assert.deepStrictEqual(got[0], got[1]);
        assert.strictEqual(got[0][0], '/report?x=1');
        assert.strictEqual(got[0][1][0].biz_id, body.bizId);
        assert((await fetch(control + '/inbound', {method: 'POST', body: JSON.stringify({channel: 'sms', from: '+8613900000001', to: '90999', text: '退订', via: 'aliyun'})})).ok);
        await until('the message', () => got.length === 3);
        assert.strictEqual(got[2][0], '/up');
        assert.strictEqual(got[2][1][0].content, '退订');
        await behave({aliyun: {receipt_url: '', mo_url: '', retry_scale: 1}});
        await until('everything taken', async () => (await get('/stats')).aliyun.callbacks.waiting === 0);
        receiver.close();
    },

    async 'tencent: SendSms is accepted and arrives with its text'() {
        const answer = await tencentClient().SendSms(tencentMessage());
        assert.strictEqual(answer.SendStatusSet[0].Code, 'Ok');
        assert.strictEqual(answer.SendStatusSet[0].SessionContext, 'attempt-1');
        const stored = await last();
        assert.strictEqual(stored.text, '【示例科技】验证码123456，5分钟内有效');
        assert.strictEqual(stored.to, '+8613900000001');
    },

    async 'tencent: statuses are pulled by number and altogether'() {
        const client = tencentClient();
        const byNumber = () => client.PullSmsSendStatusByPhoneNumber({BeginTime: Math.floor(Date.now() / 1000) - 60, Offset: 0, Limit: 10, PhoneNumber: '+8613900000001', SmsSdkAppId: '1400000001'});
        await until('a status', async () => (await byNumber()).PullSmsSendStatusSet.length > 0);
        assert.strictEqual((await byNumber()).PullSmsSendStatusSet[0].ReportStatus, 'SUCCESS');
        assert.strictEqual((await client.PullSmsSendStatus({Limit: 100, SmsSdkAppId: '1400000001'})).PullSmsSendStatusSet[0].SessionContext, 'attempt-1');
    },

    async 'tencent: refusals stand beside the number or refuse the call'() {
        const mixed = await tencentClient().SendSms(tencentMessage({PhoneNumberSet: ['+8613900000001', 'nonsense']}));
        assert.deepStrictEqual(mixed.SendStatusSet.map((status) => status.Code), ['Ok', 'InvalidParameterValue.IncorrectPhoneNumber']);
        await assert.rejects(tencentClient('wrong').SendSms(tencentMessage()), (fault) => fault.code === 'AuthFailure.SignatureFailure');
        await behave({tencent: {throttle: 1}});
        await assert.rejects(tencentClient().SendSms(tencentMessage()), (fault) => fault.code === 'RequestLimitExceeded');
        await behave({tencent: {throttle: 0}});
    },
};

runChecks(checks);
