package wire

import "syscall"

// ofSockets are the numbers that Windows Sockets has for what the key names.
// One that was aborted (10053) was closed by the peer, or by this machine
// because the peer did not answer.
var ofSockets = map[syscall.Errno][]syscall.Errno{
	syscall.EADDRNOTAVAIL: {10049},
	syscall.ENETUNREACH:   {10051},
	syscall.ECONNRESET:    {syscall.WSAECONNABORTED, syscall.WSAECONNRESET},
	syscall.ENOTCONN:      {10057},
	syscall.EPIPE:         {10058},
	syscall.ETIMEDOUT:     {10060},
	syscall.ECONNREFUSED:  {10061},
	syscall.EHOSTUNREACH:  {10065},
}
