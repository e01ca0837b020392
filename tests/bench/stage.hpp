// The other sides of a measurement in one process, driven line by line: a message centre, a provider and receiver of callbacks over HTTP, and
// the load. tests/bench/measure.py and compare_kannel.py start it beside the program that is measured.
#pragma once

namespace touchgate::bench {

// Prints the ports as the first line, then for each line of standard input one line of JSON, until the input ends:
//   receipts on|off                                              the message centre reports each message as delivered
//   blast COUNT WINDOW                                           limit: a bare SMPP client on the same message centre
//   echo CONNECTIONS SECONDS                                     limit: touches POSTed to the bare HTTP server
//   load single|bulk|kannel PORT KEY COUNT CONNECTIONS CALLBACKS messages to the program on PORT, until the centre has all of them, all
//                                                                receipts are answered, and CALLBACKS callbacks came for each
//   send PORT KEY COUNT                                          touches for the account `http`, until the provider has them
//   hooks PORT PATH FIRST COUNT CONNECTIONS                      receipts of the provider for its messages from FIRST on
//   wechat PORT PATH FIRST COUNT CONNECTIONS APP TOKEN AESKEY    encrypted messages of an official account's followers, numbered from FIRST on
void run_stage();

}  // namespace touchgate::bench
