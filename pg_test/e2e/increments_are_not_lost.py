"""Eight writers increment one counter, each by GET and PATCH with If-Match, and repeat what is refused with 412. No increment is lost."""

import subprocess
import unittest

from _session import PSQL, Session

WRITERS, EACH = 8, 1250
SET_UP = """
    create table library.counters (id int primary key, n int not null);
    insert into library.counters values (1, 0);
    grant select, update on library.counters to librarian;
"""
# Increments until it has done so often enough. What a statement reads may be old: the write has to find out.
WRITE = f"""
    set restful.schemas = 'library';
    create procedure pg_temp.write() language plpgsql as $$
    declare read record; status int; done int := 0; refused int := 0;
    begin
        while done < {EACH} loop
            select headers ->> 'etag' as tag, (body ->> 'n')::int as n into read from restful.get('/counters/1');
            select r.status into status from restful.patch('/counters/1', jsonb_build_object('n', read.n + 1), jsonb_build_object('if-match', read.tag)) r;
            commit;
            if status = 204 then done := done + 1;
            elsif status = 412 then refused := refused + 1;
            else raise 'status %', status;
            end if;
        end loop;
        raise info 'refused %', refused;
    end $$;
    call pg_temp.write();
"""


class Increments(unittest.TestCase):
    def test_none_is_lost(self):
        session = Session("postgres")
        self.addCleanup(session.close)
        session.ask(SET_UP)
        writers = [subprocess.Popen([PSQL, "-XqAt", "-U", "librarian", "-v", "ON_ERROR_STOP=1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, text=True) for _ in range(WRITERS)]
        for writer in writers:
            writer.stdin.write(WRITE)
            writer.stdin.close()
        told = [writer.stderr.read() for writer in writers]
        self.assertEqual([writer.wait() for writer in writers], [0] * WRITERS, told)
        self.assertEqual(session.ask("select n from library.counters"), str(WRITERS * EACH))
        refused = sum(int(text.rsplit("refused ", 1)[1].split()[0]) for text in told)
        self.assertGreater(refused, 0)
        print(f"{WRITERS * EACH} increments, {refused} refused", flush=True)


if __name__ == "__main__":
    unittest.main()
