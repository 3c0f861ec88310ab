<?php
/**
 * A second look at the lists of updates: Joomla takes an empty answer, one that is cut, and any other page in XML for a list
 * without updates, and says nothing. Only such answers are told; whatever else happens here, Joomla's own word counts.
 */

const INTENDANT_MOST_LISTS = 200;

/** What is wrong with an answer that Joomla takes, or null. */
function intendant_odd_answer( $body ) {
	$root   = null;
	$parser = xml_parser_create();
	xml_set_element_handler(
		$parser,
		static function ( $parser, $name ) use ( &$root ) {
			$root = null === $root ? $name : $root;
		},
		static function () {}
	);
	if ( ! xml_parse( $parser, $body, false ) ) {
		// Joomla says that itself.
		return null;
	}
	if ( ! in_array( $root, [ null, 'UPDATES', 'EXTENSIONSET' ], true ) ) {
		return 'answered with something that is no list of updates';
	}
	return null !== $root && xml_parse( $parser, '', true ) ? null : 'answered with a list that is empty or cut';
}

/** The services whose answer is odd: number => why. */
function intendant_odd_lists( $root, $services ) {
	if ( ! function_exists( 'curl_multi_init' ) || ! function_exists( 'xml_parser_create' ) ) {
		return [];
	}
	$options = [
		CURLOPT_RETURNTRANSFER => true,
		CURLOPT_FOLLOWLOCATION => true,
		CURLOPT_MAXREDIRS      => 5,
		CURLOPT_PROTOCOLS      => CURLPROTO_HTTP | CURLPROTO_HTTPS,
		CURLOPT_TIMEOUT        => 20,
		CURLOPT_ENCODING       => '',
		CURLOPT_USERAGENT      => 'Joomla',
		CURLOPT_NOPROGRESS     => false,
		CURLOPT_XFERINFOFUNCTION => static function ( $handle, $size, $got ) {
			return $size > INTENDANT_MOST_OUTPUT || $got > INTENDANT_MOST_OUTPUT ? 1 : 0;
		},
	];
	// Joomla trusts its own list of authorities.
	foreach ( [ 'libraries/vendor/composer/ca-bundle/res/cacert.pem', 'libraries/src/Http/Transport/cacert.pem' ] as $bundle ) {
		if ( is_readable( "$root/$bundle" ) ) {
			$options[ CURLOPT_CAINFO ] = "$root/$bundle";
			break;
		}
	}
	$all   = curl_multi_init();
	$asked = [];
	foreach ( $services as $service ) {
		if ( (int) $service['enabled'] && in_array( $service['type'], [ 'extension', 'collection' ], true ) && count( $asked ) < INTENDANT_MOST_LISTS ) {
			$handle = curl_init( trim( $service['location'] ) );
			curl_setopt_array( $handle, $options );
			curl_multi_add_handle( $all, $handle );
			$asked[ (int) $service['update_site_id'] ] = $handle;
		}
	}
	do {
		$status = curl_multi_exec( $all, $running );
		$running && curl_multi_select( $all, 1.0 );
	} while ( $running && CURLM_OK === $status );
	$odd = [];
	foreach ( $asked as $id => $handle ) {
		if ( 0 === curl_errno( $handle ) && 200 === (int) curl_getinfo( $handle, CURLINFO_HTTP_CODE ) ) {
			$why = intendant_odd_answer( (string) curl_multi_getcontent( $handle ) );
			if ( null !== $why ) {
				$odd[ $id ] = $why;
			}
		}
		curl_multi_remove_handle( $all, $handle );
	}
	return $odd;
}
