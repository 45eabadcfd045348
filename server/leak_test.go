package server
import ("testing";"runtime";"runtime/pprof";"os";"github.com/mailmatrix/mailmatrix/internal/login")
func TestLeakX(t *testing.T){
  for j:=0;j<20000;j++{ runSession(t, login.SMTP, []byte("EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<alice@example.test>\r\nDATA\r\n.x\r\n.\r\nQUIT\r\n")) }
  runtime.GC(); runtime.GC()
  f,_:=os.Create("/tmp/heap.pprof"); pprof.Lookup("heap").WriteTo(f,0); f.Close()
}
