"""PLCs, scales and gates over Modbus."""
