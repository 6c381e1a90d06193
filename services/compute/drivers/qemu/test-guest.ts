/**
 * For tests: a guest operating system of one sector. It says a line on the serial console, powers off when its power button
 * is pressed or a `p` comes in on the console, says its line again for any other byte, and lets go of devices that are
 * unplugged. It looks around at each tick of the timer (18 times a second) and sleeps in between.
 */
export const testGuestSays = 'guest is up'

const program = [
  '31c0', //         xor  ax, ax
  '8ed8', //         mov  ds, ax
  'ba0206', //       mov  dx, 0x602        ACPI PM1 enable:
  'b80001', //       mov  ax, 0x100        the power button
  'ef', //           out  dx, ax
  'be5d7c', // say:  mov  si, text
  'ac', //     next: lodsb
  '84c0', //         test al, al
  '7412', //         jz   wait
  '88c4', //         mov  ah, al
  'bafd03', // busy: mov  dx, 0x3fd        serial line status:
  'ec', //           in   al, dx
  'a820', //         test al, 0x20         can it send?
  '74f8', //         jz   busy
  '88e0', //         mov  al, ah
  'baf803', //       mov  dx, 0x3f8
  'ee', //           out  dx, al
  'ebe9', //         jmp  next
  'fb', //     wait: sti
  'f4', //           hlt
  'bafd03', //       mov  dx, 0x3fd
  'ec', //           in   al, dx
  'a801', //         test al, 1            has something come in?
  '740a', //         jz   acpi
  'baf803', //       mov  dx, 0x3f8
  'ec', //           in   al, dx
  '3c70', //         cmp  al, 'p'
  '741c', //         je   off
  'ebd2', //         jmp  say
  'ba0006', // acpi: mov  dx, 0x600        ACPI PM1 status:
  'ed', //           in   ax, dx
  'f6c401', //       test ah, 1            was the power button pressed?
  '7511', //         jnz  off
  'ba04ae', //       mov  dx, 0xae04       PCI hot-plug, devices to let go of:
  '66ed', //         in   eax, dx
  '6685c0', //       test eax, eax
  '74d9', //         jz   wait
  'ba08ae', //       mov  dx, 0xae08       eject them
  '66ef', //         out  dx, eax
  'ebd2', //         jmp  wait
  'ba0406', // off:  mov  dx, 0x604        ACPI PM1 control:
  'b80020', //       mov  ax, 0x2000       soft off
  'ef', //           out  dx, ax
  'f4', //           hlt
  'ebf6', //         jmp  off
]

/** A raw disk of one MiB that boots it. */
export function testGuestDisk(): Buffer {
  const disk = Buffer.alloc(1024 * 1024)
  const code = Buffer.from(program.join(''), 'hex')
  code.copy(disk)
  disk.write(`${testGuestSays}\r\n\0`, code.length, 'latin1')
  disk.set([0x55, 0xaa], 510)
  return disk
}
