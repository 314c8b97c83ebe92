"""Which request a fault meets, and which faults are refused."""

import unittest

from harness import BODY, TOKEN, Emulator, request, wait_until


class FaultListTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.emulator = Emulator()

    @classmethod
    def tearDownClass(cls):
        cls.emulator.close()

    def setUp(self):
        self.emulator.control("/reset", {})

    def test_order_count_and_match(self):
        self.emulator.faults(
            {"kind": "status", "status": 500, "match": {"license_key": "KEY-2"}, "count": -1},
            {"kind": "status", "status": 502, "match": {"nth": 2}, "count": 2},
            {"kind": "status", "status": 503, "match": {"path": TOKEN}})
        statuses = [self.emulator.post({**BODY, "license_key": key}).status
                    for key in ("KEY-2", "no", "KEY-2", "no", "no", "no")]
        self.assertEqual(statuses, [500, 400, 500, 502, 502, 400])
        shown = self.emulator.control("/faults")["faults"]
        self.assertEqual([fault["hits"] for fault in shown], [2, 2, 0])
        self.emulator.control("/faults/add", {"kind": "status", "status": 504})
        self.assertEqual(len(self.emulator.control("/faults")["faults"]), 4)
        self.assertEqual(self.emulator.post().status, 504)

    def test_act_can_be_chosen(self):
        self.emulator.faults({"kind": "captive_portal", "act": True})
        self.assertIn(b"<form", self.emulator.post().body)
        entry = self.emulator.log()[-1]
        self.assertEqual((entry["outcome"]["status"], entry["answer"]["status"]), (200, 200))
        self.assertEqual(entry["changed"]["license_id"], 1)
        self.assertEqual(self.emulator.control("/counts")["successes"], 1)

    def test_mistakes_are_refused(self):
        for fault in ({"kind": "unheard"}, {}, 7, {"kind": "status", "statuss": 1},
                      {"kind": "status", "status": "500"}, {"kind": "status", "count": 0},
                      {"kind": "status", "match": {"key": "x"}}, {"kind": "set_header"},
                      {"kind": "stall_accept", "match": {"path": "/"}},
                      {"kind": "status", "headers": ["a"]}):
            self.emulator.control("/faults", [fault], expect=400)
        self.assertEqual(self.emulator.control("/faults")["faults"], [])

    def test_many_stalls_do_not_hold_up_others(self):
        self.emulator.faults({"kind": "stall_before", "count": 20})
        socks = [self.emulator.connect() for _ in range(20)]
        for sock in socks:
            sock.sendall(request())
        wait_until(lambda: self.emulator.server.state.counts.requests == 20)
        self.assertTrue(self.emulator.post().is_success)
        for sock in socks:
            sock.close()

    def test_an_added_fault_does_not_end_a_refusal(self):
        self.emulator.faults({"kind": "refuse"})
        self.emulator.control("/faults/add", {"kind": "status"})
        with self.assertRaises(ConnectionRefusedError):
            self.emulator.connect()
        self.emulator.faults()
        self.assertTrue(self.emulator.post().is_success)


if __name__ == "__main__":
    unittest.main()
