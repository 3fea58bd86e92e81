# SPDX-License-Identifier: Apache-2.0
"""What the groups of measurements share: a client, a server of their own, a report, its plots."""
