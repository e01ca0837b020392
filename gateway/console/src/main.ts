// The agent desktop: its parts are made here, in order, and given to the components.
import {createApp} from 'vue';
import App from './components/App.vue';
import {Alerts} from './desk/alerts.ts';
import {Customers} from './desk/customers.ts';
import {Desk, deskKey} from './desk/desk.ts';
import {Directory} from './desk/directory.ts';
import {ParkedCalls} from './desk/parked.ts';
import {alertsKey, customersKey, directoryKey, parkedKey, phoneKey} from './desk/parts.ts';
import {PhoneLine} from './desk/phone_line.ts';
import {measureSkew, startClock} from './timing/now.ts';
import {workerTimers} from './timing/timers.ts';
import './styles/base.css';
import './styles/desktop.css';

const desk = new Desk(workerTimers());
const phone = new PhoneLine(desk);
startClock();
void measureSkew();
createApp(App).provide(deskKey, desk).provide(phoneKey, phone).provide(customersKey, new Customers(desk)).provide(directoryKey, new Directory(desk))
  .provide(parkedKey, new ParkedCalls(desk)).provide(alertsKey, new Alerts(desk, phone)).mount('#app');
desk.resumeKept();
