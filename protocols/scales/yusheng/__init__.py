"""Yusheng LPG filling scales on TCP: the scale tells of codes and finished fills, the host permits.

Sources: the maker's server protocol V1.10 of 2021-12-19 and a public server program for it. A frame
of the scale is `FF FF FF cmd province city station address ... CRC`; one of the host is
`address cmd ... CRC`. CRC-16/MODBUS over everything before it, low byte first; words low byte
first. The count in a report includes the CRC: 30 without and 32 with the number of the machine.
Digits of a card have the low nibble first, the date is ordinary BCD. No source states the unit of
the weights, so they stay raw. A weight is only sent when a fill has ended.
"""

from protocols.scales.yusheng.envelope import new_framer, new_host_framer, seal, unseal
from protocols.scales.yusheng.fields import fields

__all__ = ["fields", "new_framer", "new_host_framer", "seal", "unseal"]
