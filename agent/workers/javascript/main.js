// SPDX-License-Identifier: Apache-2.0
'use strict';
// Where node begins; worker.js tells the rest.

require('./realm.js').load('./worker.js');
