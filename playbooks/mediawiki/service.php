<?php
/**
 * Where releases and snapshots come from: releases.wikimedia.org for the core, ExtensionDistributor (asked through
 * www.mediawiki.org, as its own page does) for extensions and skins. Functions only; https only; everything is bounded.
 */

const INTENDANT_RELEASES = 'https://releases.wikimedia.org/mediawiki/';
const INTENDANT_API      = 'https://www.mediawiki.org/w/api.php';
const INTENDANT_KEYS     = 'https://www.mediawiki.org/keys/keys.txt';

/** Ends with one line on standard error; nothing of the site was changed until then, or the text says so. */
function intendant_stop( $why, $code = 4 ) {
	fwrite( STDERR, preg_replace( '/[\x00-\x09\x0b-\x1f\x7f]+/', ' ', $why ) . "\n" );
	exit( $code );
}

/** Whether a line of an answer leads to another address than one of https. */
function intendant_leads_away( $line ) {
	return 1 === preg_match( '#^Location:\s*+(?!https://|/)#i', $line );
}

/**
 * Downloads into a file: array( null, the time of Last-Modified or null ), or array( why it was not possible, null ).
 * $head asks for the time only.
 */
function intendant_fetch( $url, $file, $most, $head = false ) {
	if ( 0 !== strpos( $url, 'https://' ) ) {
		return array( 'is not at an https address', null );
	}
	$context = stream_context_create(
		array(
			'http' => array(
				'method'          => $head ? 'HEAD' : 'GET',
				'user_agent'      => 'Intendant (maintenance of a MediaWiki site)',
				'timeout'         => 30,
				'follow_location' => 1,
				'max_redirects'   => 3,
				'ignore_errors'   => true,
			),
			'ssl'  => array( 'verify_peer' => true, 'verify_peer_name' => true ),
		)
	);
	error_clear_last();
	$from = @fopen( $url, 'rb', false, $context );
	if ( ! $from ) {
		$error = error_get_last();
		return array( 'was not reached: ' . preg_replace( '/^.*\): /s', '', $error ? $error['message'] : 'no answer' ), null );
	}
	$meta    = stream_get_meta_data( $from );
	$status  = 0;
	$length  = null;
	$changed = null;
	foreach ( (array) $meta['wrapper_data'] as $line ) {
		if ( preg_match( '#^HTTP/[0-9.]+ ([0-9]{3})#', $line, $found ) ) {
			// After a redirection only the last answer counts.
			list( $status, $length, $changed ) = array( (int) $found[1], null, null );
		} elseif ( preg_match( '/^Content-Length:\s*([0-9]+)/i', $line, $found ) ) {
			$length = (int) $found[1];
		} elseif ( preg_match( '/^Last-Modified:\s*(.+)$/i', $line, $found ) ) {
			$changed = strtotime( trim( $found[1] ) );
		} elseif ( intendant_leads_away( $line ) ) {
			return array( 'leads away from https', null );
		}
	}
	if ( 200 !== $status ) {
		return array( "answered $status", null );
	}
	if ( $head ) {
		return array( null, $changed ? $changed : null );
	}
	$to   = fopen( $file, 'wb' );
	$got  = 0;
	$ends = time() + 900;
	while ( $to && ! feof( $from ) ) {
		$piece = fread( $from, 1 << 16 );
		if ( false === $piece || ( '' === $piece && ! empty( stream_get_meta_data( $from )['timed_out'] ) ) || time() > $ends ) {
			return array( 'broke off after ' . $got . ' bytes', null );
		}
		$got += strlen( $piece );
		if ( $got > $most ) {
			return array( "is larger than $most bytes", null );
		}
		if ( strlen( $piece ) !== fwrite( $to, $piece ) ) {
			return array( "can't be written to $file", null );
		}
	}
	if ( ! $to || ! fclose( $to ) ) {
		return array( "can't be written to $file", null );
	}
	if ( null !== $length && $got !== $length ) {
		return array( "broke off after $got of $length bytes", null );
	}
	return array( null, $changed ? $changed : null );
}

/** The text at an address: array( why not or null, text ). */
function intendant_text( $url, $most = 4194304 ) {
	$file        = tempnam( sys_get_temp_dir(), 'intendant' );
	list( $why ) = intendant_fetch( $url, $file, $most );
	$text        = null === $why ? (string) file_get_contents( $file ) : '';
	@unlink( $file );
	return array( $why, $text );
}

/**
 * The snapshots of extensions and skins: array( why not or null, 'extension:Name' => branch => address ).
 * What the distributor doesn't know is not among them.
 */
function intendant_snapshots( array $names ) {
	$all = array();
	foreach ( array_chunk( $names, 40 ) as $part ) {
		$ask = array( 'action' => 'query', 'list' => 'extdistbranches', 'format' => 'json', 'formatversion' => '2' );
		foreach ( array( 'extension' => 'edbexts', 'skin' => 'edbskins' ) as $kind => $key ) {
			$these = preg_filter( "/^$kind:/", '', $part );
			if ( $these ) {
				$ask[ $key ] = implode( '|', $these );
			}
		}
		list( $why, $text ) = intendant_text( INTENDANT_API . '?' . http_build_query( $ask ) );
		$answer             = null === $why ? json_decode( $text, true ) : null;
		if ( null === $why && ( ! is_array( $answer ) || isset( $answer['error'] ) || ! isset( $answer['query']['extdistbranches'] ) ) ) {
			$why = 'answered with something else than a list of branches';
		}
		if ( null !== $why ) {
			return array( $why, array() );
		}
		foreach ( $part as $id ) {
			list( $kind, $name ) = explode( ':', $id, 2 );
			$branches            = isset( $answer['query']['extdistbranches'][ "{$kind}s" ][ $name ] ) ? $answer['query']['extdistbranches'][ "{$kind}s" ][ $name ] : null;
			foreach ( is_array( $branches ) ? $branches : array() as $branch => $url ) {
				// The file's name tells the branch and the commit; only Wikimedia's own hosts are asked for it.
				if ( is_string( $url ) && preg_match( '#^https://[a-z0-9.-]+\.(?:wmflabs\.org|wmcloud\.org|wikimedia\.org|mediawiki\.org)/[A-Za-z0-9._/-]*-' . preg_quote( $branch, '#' ) . '-([0-9a-f]{7,40})\.tar\.gz$#', $url ) ) {
					$all[ $id ][ $branch ] = $url;
				}
			}
		}
	}
	return array( null, $all );
}

/** The commit in a snapshot's address. */
function intendant_commit( $url ) {
	return preg_match( '/-([0-9a-f]{7,40})\.tar\.gz$/', $url, $found ) ? $found[1] : '';
}

/** Runs a program without a shell: array( exit code, standard output, standard error ), each cut at a limit. */
function intendant_run( array $command, $folder = null ) {
	$process = proc_open( $command, array( array( 'file', '/dev/null', 'r' ), array( 'pipe', 'w' ), array( 'pipe', 'w' ) ), $pipes, $folder );
	if ( ! $process ) {
		return array( 127, '', 'could not be started' );
	}
	$said = array( '', '' );
	$open = array( 1 => $pipes[1], 2 => $pipes[2] );
	while ( $open ) {
		$read  = $open;
		$write = null;
		$other = null;
		if ( ! stream_select( $read, $write, $other, 60 ) ) {
			continue;
		}
		foreach ( $read as $key => $pipe ) {
			$piece = fread( $pipe, 1 << 16 );
			if ( false === $piece || ( '' === $piece && feof( $pipe ) ) ) {
				fclose( $pipe );
				unset( $open[ $key ] );
			} elseif ( strlen( $said[ $key - 1 ] ) < ( 8 << 20 ) ) {
				$said[ $key - 1 ] .= $piece;
			}
		}
	}
	return array( proc_close( $process ), $said[0], $said[1] );
}

/** Removes a folder of ours and all below it; links are not followed. */
function intendant_remove( $path ) {
	if ( is_dir( $path ) && ! is_link( $path ) ) {
		@chmod( $path, 0700 );
		foreach ( (array) @scandir( $path ) as $name ) {
			if ( is_string( $name ) && '.' !== $name && '..' !== $name ) {
				intendant_remove( "$path/$name" );
			}
		}
		return @rmdir( $path );
	}
	return @unlink( $path ) || ! ( file_exists( $path ) || is_link( $path ) );
}

/** Unpacks an archive whose files all lie in one folder of this name, into $to: the folder. */
function intendant_unpack( $archive, $top, $to ) {
	mkdir( $to, 0700, true );
	list( $code, $list, $error ) = intendant_run( array( 'tar', '-tzf', $archive ) );
	if ( 0 !== $code ) {
		intendant_stop( basename( $archive ) . ' is damaged: ' . substr( $error, 0, 200 ) );
	}
	foreach ( explode( "\n", rtrim( $list, "\n" ) ) as $line ) {
		if ( 0 !== strpos( "$line/", "$top/" ) || preg_match( '#(?:^|/)\.\.(?:/|$)#', $line ) ) {
			intendant_stop( basename( $archive ) . ' holds something outside of ' . $top . ': ' . substr( $line, 0, 100 ) );
		}
	}
	list( $code, , $error ) = intendant_run( array( 'tar', '-xzf', $archive, '-C', $to, '--no-same-owner' ) );
	if ( 0 !== $code || ! is_dir( "$to/$top" ) ) {
		intendant_stop( basename( $archive ) . ' can\'t be unpacked: ' . substr( $error, 0, 200 ) );
	}
	return "$to/$top";
}
